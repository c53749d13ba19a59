//! Campaigns, each with its row in the ready list.

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait as _};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use voicesurvey_core::campaign::{Campaign, CampaignStatus, PauseReason};
use voicesurvey_core::gate::Reason;
use voicesurvey_core::id::{CampaignId, CompanyId};
use voicesurvey_core::ports::repositories::CampaignCounters;
use voicesurvey_core::ports::{CampaignRepository, Page, PageRequest, StorageError};
use voicesurvey_core::queue::QueueLevel;
use voicesurvey_core::queue::lane::Lane;
use voicesurvey_core::quota::{CellNews, Cells};

use crate::error::written;
use crate::page::{self, Direction, Place};
use crate::ready_list::level;
use crate::row::Reader;
use crate::schema::{self, company_of};
use crate::unit_of_work::PostgresUnitOfWork;

macro_rules! columns {
    () => {
        "company_id, id, name, description, status, pause_reason, settings, snapshot, created_at, \
         updated_at, started_at, ended_at, version, winding_up"
    };
}

fn campaign(row: &PgRow) -> Result<Campaign, StorageError> {
    let row = Reader::new("campaigns", row);
    let status: &str = row.get("status")?;
    let pause_reason: Option<&str> = row.get("pause_reason")?;
    Ok(Campaign {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        name: row.get("name")?,
        description: row.get("description")?,
        status: CampaignStatus::from_names(status, pause_reason)
            .ok_or_else(|| row.corrupt(&format!("status {status} because of {pause_reason:?}")))?,
        winding_up: row.optional_named("winding_up", Reason::from_name)?,
        settings: row.document("settings")?,
        snapshot: row.optional_document("snapshot")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        started_at: row.instant("started_at")?,
        ended_at: row.instant("ended_at")?,
        version: row.number("version")?,
    })
}

/// Whether tasks that wait in it are to be ended.
fn calls_nobody_any_more(campaign: &Campaign) -> bool {
    campaign.status.is_final() || campaign.winding_up.is_some()
}

impl PostgresUnitOfWork {
    /// Looks a campaign up whose company is known.
    pub(crate) async fn campaign_of(
        &mut self,
        company_id: CompanyId,
        id: CampaignId,
    ) -> Result<Option<Campaign>, StorageError> {
        let select = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            " FROM campaigns WHERE company_id = $1 AND id = $2"
        ));
        let select = select.bind(company_id.as_uuid()).bind(id.as_uuid());
        self.row(select).await?.as_ref().map(campaign).transpose()
    }
}

#[async_trait]
impl CampaignRepository for PostgresUnitOfWork {
    async fn insert(&mut self, campaign: &Campaign) -> Result<(), StorageError> {
        self.permit(campaign.company_id)?;
        let insert = sqlx::query(concat!(
            "INSERT INTO campaigns (",
            columns!(),
            ", skillbase_id, starts_at, ends_at, has_budget, emptying)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                 $18, $19)
             ON CONFLICT DO NOTHING"
        ))
        .bind(campaign.company_id.as_uuid())
        .bind(campaign.id.as_uuid())
        .bind(campaign.name.clone())
        .bind(campaign.description.clone())
        .bind(campaign.status.name())
        .bind(campaign.status.pause_reason().map(PauseReason::name))
        .bind(Json(campaign.settings.clone()))
        .bind(campaign.snapshot.clone().map(Json))
        .bind(campaign.created_at)
        .bind(campaign.updated_at)
        .bind(campaign.started_at)
        .bind(campaign.ended_at)
        .bind(i64::from(campaign.version))
        .bind(campaign.winding_up.map(Reason::name))
        .bind(campaign.settings.skillbase_id.as_uuid())
        .bind(campaign.effective_settings().schedule.starts_at)
        .bind(campaign.effective_settings().schedule.ends_at)
        .bind(campaign.has_budget())
        .bind(calls_nobody_any_more(campaign));
        written(self.attempt(insert).await?, "the campaign exists already")?;
        let insert = sqlx::query(
            "INSERT INTO campaign_queue
                 (company_id, campaign_id, running, in_flight, max_concurrent_calls,
                  calls_per_minute, seconds_between_calls, burst, arrival)
             VALUES ($1, $2, false, 0, 0, 0, 0, 1, $3)",
        )
        .bind(campaign.company_id.as_uuid())
        .bind(campaign.id.as_uuid())
        .bind(campaign.created_at);
        self.execute(insert).await?;
        self.ready_list.campaign_written(campaign);
        Ok(())
    }

    async fn get(&mut self, id: CampaignId) -> Result<Option<Campaign>, StorageError> {
        match self
            .company_of(company_of!("campaigns"), id.as_uuid())
            .await?
        {
            Some(company_id) => self.campaign_of(CompanyId::from_uuid(company_id), id).await,
            None => Ok(None),
        }
    }

    async fn get_for_update(&mut self, id: CampaignId) -> Result<Option<Campaign>, StorageError> {
        // Not FOR UPDATE: that would also hold up whoever adds a row that refers to the campaign,
        // such as a claim, which holds rows of the ready list meanwhile.
        let select = concat!(
            "SELECT ",
            columns!(),
            " FROM campaigns
             WHERE company_id = $1 AND id = $2 FOR NO KEY UPDATE"
        );
        let row = self
            .find(company_of!("campaigns"), select, id.as_uuid())
            .await?;
        row.as_ref().map(campaign).transpose()
    }

    async fn get_for_update_unless_locked(
        &mut self,
        id: CampaignId,
    ) -> Result<Option<Campaign>, StorageError> {
        let select = concat!(
            "SELECT ",
            columns!(),
            " FROM campaigns
             WHERE company_id = $1 AND id = $2 FOR NO KEY UPDATE SKIP LOCKED"
        );
        let row = self
            .find(company_of!("campaigns"), select, id.as_uuid())
            .await?;
        row.as_ref().map(campaign).transpose()
    }

    async fn update(&mut self, campaign: &Campaign) -> Result<(), StorageError> {
        self.permit(campaign.company_id)?;
        let update = sqlx::query(
            "UPDATE campaigns
             SET name = $4, description = $5, status = $6, pause_reason = $7, settings = $8,
                 snapshot = $9, updated_at = $10, started_at = $11, ended_at = $12,
                 skillbase_id = $13, starts_at = $14, ends_at = $15, has_budget = $16,
                 winding_up = $17, emptying = $18, version = version + 1
             WHERE company_id = $1 AND id = $2 AND version = $3",
        )
        .bind(campaign.company_id.as_uuid())
        .bind(campaign.id.as_uuid())
        .bind(i64::from(campaign.version))
        .bind(campaign.name.clone())
        .bind(campaign.description.clone())
        .bind(campaign.status.name())
        .bind(campaign.status.pause_reason().map(PauseReason::name))
        .bind(Json(campaign.settings.clone()))
        .bind(campaign.snapshot.clone().map(Json))
        .bind(campaign.updated_at)
        .bind(campaign.started_at)
        .bind(campaign.ended_at)
        .bind(campaign.settings.skillbase_id.as_uuid())
        .bind(campaign.effective_settings().schedule.starts_at)
        .bind(campaign.effective_settings().schedule.ends_at)
        .bind(campaign.has_budget())
        .bind(campaign.winding_up.map(Reason::name))
        .bind(calls_nobody_any_more(campaign));
        written(
            self.attempt(update).await?,
            "the campaign was changed meanwhile",
        )?;
        if !campaign.is_calling() {
            self.look_after_waiting_calls(campaign).await?;
        }
        self.ready_list.campaign_written(campaign);
        Ok(())
    }

    async fn delete(&mut self, id: CampaignId) -> Result<bool, StorageError> {
        let Some(company_id) = self
            .company_of(company_of!("campaigns"), id.as_uuid())
            .await?
        else {
            return Ok(false);
        };
        let bind = |sql: &'static str| sqlx::query(sql).bind(company_id).bind(id.as_uuid());
        // Rows first, ready list afterwards: the order in which everybody else locks them.
        let calls = "SELECT id FROM call_attempts
                     WHERE company_id = $1 AND campaign_id = $2 AND state <> 'ended' FOR UPDATE";
        self.rows(bind(calls)).await?;
        self.write_changes().await?;
        // The company's creation is in the past, which means "at once".
        let give_lines_back = "UPDATE company_queue
             SET in_flight = company_queue.in_flight - campaign.in_flight,
                 ready_at = CASE WHEN calling THEN
                     LEAST(company_queue.ready_at, company.created_at)
                 END
             FROM campaign_queue AS campaign JOIN companies AS company USING (company_id)
             WHERE company_queue.company_id = $1
                 AND campaign.company_id = $1 AND campaign.campaign_id = $2";
        self.execute(bind(give_lines_back)).await?;
        let live = "SELECT provider, count(*) AS calls FROM call_attempts
             WHERE company_id = $1 AND campaign_id = $2 AND state <> 'ended'
             GROUP BY provider";
        for row in self.rows(bind(live)).await? {
            let row = Reader::new("call_attempts", &row);
            self.ready_list
                .provider_lines_are_free(row.get("provider")?, row.get("calls")?);
        }
        let forget_events = "DELETE FROM call_events USING call_attempts AS attempt
             WHERE call_events.company_id = $1 AND attempt.company_id = $1
                 AND attempt.campaign_id = $2 AND attempt.id = call_events.attempt_id";
        self.execute(bind(forget_events)).await?;
        let delete = "DELETE FROM campaigns WHERE company_id = $1 AND id = $2";
        Ok(self.execute(bind(delete)).await? == 1)
    }

    async fn list(
        &mut self,
        status: Option<&str>,
        request: &PageRequest,
    ) -> Result<Page<Campaign>, StorageError> {
        let mut list = schema::select(columns!(), "campaigns", self.scope);
        if let Some(status) = status {
            list.and_where(Expr::col("status").eq(status));
        }
        page::by_creation(&mut list, "id", Direction::NewestFirst, request)?;
        let rows = self.list(&list).await?;
        let campaigns = rows.iter().map(campaign).collect::<Result<_, _>>()?;
        Ok(Page::from_rows(
            campaigns,
            request.limit(),
            |campaign: &Campaign| Place::new(campaign.created_at, campaign.id.as_uuid()).cursor(),
        ))
    }

    async fn lanes(&mut self, id: CampaignId) -> Result<Vec<Lane>, StorageError> {
        match self
            .company_of(company_of!("campaigns"), id.as_uuid())
            .await?
        {
            Some(company_id) => self.lanes_of(company_id, id).await,
            None => Ok(Vec::new()),
        }
    }

    async fn review_cells(
        &mut self,
        id: CampaignId,
        news: CellNews<'_>,
    ) -> Result<(), StorageError> {
        let company_id = self.company_of(company_of!("campaigns"), id.as_uuid());
        if let Some(company_id) = company_id.await? {
            let campaign = (CompanyId::from_uuid(company_id), id);
            self.lanes.review_cells(campaign, news);
        }
        Ok(())
    }

    async fn level(&mut self, id: CampaignId) -> Result<Option<QueueLevel>, StorageError> {
        self.write_changes().await?;
        let select = "SELECT ready_at, in_flight, max_concurrent_calls, calls_per_minute,
                 seconds_between_calls, arrival
             FROM campaign_queue WHERE company_id = $1 AND campaign_id = $2";
        let row = self
            .find(company_of!("campaigns"), select, id.as_uuid())
            .await?;
        let level = |row: &PgRow| level(&Reader::new("campaign_queue", row));
        row.as_ref().map(level).transpose()
    }

    async fn counters(&mut self, id: CampaignId) -> Result<CampaignCounters, StorageError> {
        match self
            .company_of(company_of!("campaigns"), id.as_uuid())
            .await?
        {
            Some(company_id) => {
                self.read_counters(CompanyId::from_uuid(company_id), id)
                    .await
            }
            None => Ok(CampaignCounters::default()),
        }
    }

    async fn counters_of_places(
        &mut self,
        id: CampaignId,
        cells: &Cells,
    ) -> Result<CampaignCounters, StorageError> {
        match self
            .company_of(company_of!("campaigns"), id.as_uuid())
            .await?
        {
            Some(company_id) => {
                self.read_counters_of_places(CompanyId::from_uuid(company_id), id, cells)
                    .await
            }
            None => Ok(CampaignCounters::default()),
        }
    }
}
