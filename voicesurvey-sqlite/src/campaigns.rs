//! Campaigns, each with its row in the ready list and its counters.

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait, Order, Value};
use sqlx::sqlite::SqliteRow;
use voicesurvey_core::campaign::{Campaign, CampaignStatus, PauseReason};
use voicesurvey_core::gate::Reason;
use voicesurvey_core::id::CampaignId;
use voicesurvey_core::ports::repositories::CampaignCounters;
use voicesurvey_core::ports::{CampaignKey, CampaignRepository, Page, PageRequest, StorageError};
use voicesurvey_core::queue::QueueLevel;
use voicesurvey_core::queue::lane::Lane;
use voicesurvey_core::quota::{CellNews, Cells, counters_of_places};
use voicesurvey_core::time::Timestamp;

use crate::error::stale;
use crate::page::{self, Created};
use crate::row::{Row, json, micros, read_all};
use crate::schema::{CAMPAIGN_COUNTERS, CAMPAIGNS};
use crate::unit_of_work::{SqliteUnitOfWork, built};
use crate::{counters, lanes};

fn values(campaign: &Campaign) -> Result<[Value; 18], StorageError> {
    Ok([
        campaign.company_id.as_uuid().into(),
        campaign.id.as_uuid().into(),
        campaign.name.clone().into(),
        campaign.description.clone().into(),
        campaign.status.name().into(),
        campaign
            .status
            .pause_reason()
            .map(|reason| reason.name().to_owned())
            .into(),
        campaign.settings.skillbase_id.as_uuid().into(),
        campaign.settings.schedule.starts_at.map(micros).into(),
        json(&campaign.settings)?.into(),
        campaign.snapshot.as_ref().map(json).transpose()?.into(),
        micros(campaign.created_at).into(),
        micros(campaign.updated_at).into(),
        campaign.started_at.map(micros).into(),
        campaign.ended_at.map(micros).into(),
        campaign.version.into(),
        campaign
            .winding_up
            .map(|reason| reason.name().to_owned())
            .into(),
        ends_at(campaign).map(micros).into(),
        campaign.has_budget().into(),
    ])
}

/// When nobody is called any more, as the settings say that calls follow.
fn ends_at(campaign: &Campaign) -> Option<Timestamp> {
    campaign.effective_settings().schedule.ends_at
}

/// Reads all columns of a campaign.
pub(crate) fn read(row: &SqliteRow) -> Result<Campaign, StorageError> {
    let row = Row::new(row, CAMPAIGNS.name);
    Ok(Campaign {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        name: row.get("name")?,
        description: row.get("description")?,
        status: CampaignStatus::from_names(row.get("status")?, row.get("pause_reason")?)
            .ok_or_else(|| row.corrupt("status: does not go with the pause reason"))?,
        winding_up: row.optional_word("winding_up")?,
        settings: row.document("settings")?,
        snapshot: row.optional_document("snapshot")?,
        created_at: row.instant("created_at")?,
        updated_at: row.instant("updated_at")?,
        started_at: row.optional_instant("started_at")?,
        ended_at: row.optional_instant("ended_at")?,
        version: row.get("version")?,
    })
}

impl SqliteUnitOfWork {
    /// The campaign with its company; `None` if there is none within the scope.
    pub(crate) async fn campaign_key(
        &mut self,
        id: CampaignId,
    ) -> Result<Option<CampaignKey>, StorageError> {
        let campaign = CampaignRepository::get(self, id).await?;
        Ok(campaign.map(|campaign| CampaignKey {
            company_id: campaign.company_id,
            campaign_id: id,
        }))
    }
}

#[async_trait]
impl CampaignRepository for SqliteUnitOfWork {
    async fn insert(&mut self, campaign: &Campaign) -> Result<(), StorageError> {
        self.must_cover(campaign.company_id)?;
        self.execute(built(&CAMPAIGNS.insert([values(campaign)?])))
            .await?;
        self.put_campaign_queue(campaign).await
    }

    async fn get(&mut self, id: CampaignId) -> Result<Option<Campaign>, StorageError> {
        let mut select = CAMPAIGNS.select(self.scope);
        select.and_where(Expr::col("id").eq(id.as_uuid()));
        self.fetch_optional(built(&select))
            .await?
            .as_ref()
            .map(read)
            .transpose()
    }

    async fn get_for_update(&mut self, id: CampaignId) -> Result<Option<Campaign>, StorageError> {
        CampaignRepository::get(self, id).await
    }

    async fn get_for_update_unless_locked(
        &mut self,
        id: CampaignId,
    ) -> Result<Option<Campaign>, StorageError> {
        // There is one writer: whoever has a unit of work holds everything.
        CampaignRepository::get(self, id).await
    }

    async fn update(&mut self, campaign: &Campaign) -> Result<(), StorageError> {
        self.must_cover(campaign.company_id)?;
        let update = sqlx::query(
            "UPDATE campaigns
             SET name = ?4, description = ?5, status = ?6, pause_reason = ?7, skillbase_id = ?8,
                 starts_at = ?9, settings = ?10, snapshot = ?11, updated_at = ?12, started_at = ?13,
                 ended_at = ?14, winding_up = ?15, ends_at = ?16, has_budget = ?17,
                 version = version + 1
             WHERE company_id = ?1 AND id = ?2 AND version = ?3",
        )
        .bind(campaign.company_id.as_uuid())
        .bind(campaign.id.as_uuid())
        .bind(campaign.version)
        .bind(campaign.name.clone())
        .bind(campaign.description.clone())
        .bind(campaign.status.name())
        .bind(campaign.status.pause_reason().map(PauseReason::name))
        .bind(campaign.settings.skillbase_id.as_uuid())
        .bind(campaign.settings.schedule.starts_at.map(micros))
        .bind(json(&campaign.settings)?)
        .bind(campaign.snapshot.as_ref().map(json).transpose()?)
        .bind(micros(campaign.updated_at))
        .bind(campaign.started_at.map(micros))
        .bind(campaign.ended_at.map(micros))
        .bind(campaign.winding_up.map(Reason::name))
        .bind(ends_at(campaign).map(micros))
        .bind(campaign.has_budget());
        if self.execute(update).await? == 0 {
            return Err(stale(CAMPAIGNS.name));
        }
        self.put_campaign_queue(campaign).await?;
        if !campaign.is_calling() {
            self.look_after_waiting_calls(campaign).await?;
        }
        self.review_lanes_of(campaign).await
    }

    async fn delete(&mut self, id: CampaignId) -> Result<bool, StorageError> {
        let Some(key) = self.campaign_key(id).await? else {
            return Ok(false);
        };
        self.free_provider_lines(key).await?;
        self.delete_campaign_queue(key).await?;
        self.delete_provider_events(key).await?;
        // The foreign keys of lanes, tasks, attempts and interviews do the rest.
        let mut delete = CAMPAIGNS.delete(self.scope);
        delete.and_where(Expr::col("id").eq(id.as_uuid()));
        Ok(self.execute(built(&delete)).await? > 0)
    }

    async fn list(
        &mut self,
        status: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<Campaign>, StorageError> {
        let mut select = CAMPAIGNS.select(self.scope);
        if let Some(status) = status {
            select.and_where(Expr::col("status").eq(status));
        }
        page::by_creation(&mut select, "id", Order::Desc, page)?;
        let rows = read_all(&self.fetch_all(built(&select)).await?, read)?;
        Ok(Page::from_rows(rows, page.limit(), |campaign| {
            Created::cursor(campaign.created_at, campaign.id.as_uuid())
        }))
    }

    async fn review_cells(
        &mut self,
        id: CampaignId,
        news: CellNews<'_>,
    ) -> Result<(), StorageError> {
        match self.campaign_key(id).await? {
            Some(campaign) => SqliteUnitOfWork::review_cells(self, campaign, news).await,
            None => Ok(()),
        }
    }

    async fn lanes(&mut self, id: CampaignId) -> Result<Vec<Lane>, StorageError> {
        let select = lanes::in_order(self.scope, id);
        read_all(&self.fetch_all(built(&select)).await?, lanes::read)
    }

    async fn level(&mut self, id: CampaignId) -> Result<Option<QueueLevel>, StorageError> {
        match self.campaign_key(id).await? {
            Some(key) => self.campaign_level(key).await,
            None => Ok(None),
        }
    }

    async fn counters(&mut self, id: CampaignId) -> Result<CampaignCounters, StorageError> {
        let mut select = CAMPAIGN_COUNTERS.select(self.scope);
        select.and_where(Expr::col("campaign_id").eq(id.as_uuid()));
        counters::read(&self.fetch_all(built(&select)).await?)
    }

    async fn counters_of_places(
        &mut self,
        id: CampaignId,
        cells: &Cells,
    ) -> Result<CampaignCounters, StorageError> {
        let mut select = CAMPAIGN_COUNTERS.select(self.scope);
        select
            .and_where(Expr::col("campaign_id").eq(id.as_uuid()))
            .and_where(Expr::col("kind").eq("cell"))
            .and_where(Expr::col("name").is_in(counters_of_places(cells)));
        counters::read(&self.fetch_all(built(&select)).await?)
    }
}
