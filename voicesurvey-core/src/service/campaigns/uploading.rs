//! Turning the rows of a call list into tasks.

use std::collections::HashSet;

use super::{Campaigns, company, locked};
use crate::api_key::Actor;
use crate::call_list::{CallList, Contact, RowError, Upload};
use crate::call_task::{CallTask, TaskState};
use crate::campaign::Campaign;
use crate::gate::Reason;
use crate::id::{CampaignId, UploadId};
use crate::phone_number::{PhoneNumber, Region};
use crate::ports::UnitOfWork;
use crate::service::error::ServiceError;
use crate::time::Timestamp;

/// Contacts that a preview shows.
const PREVIEWED: usize = 10;

/// A call list, sorted into what can be used and what cannot.
struct Sorted {
    contacts: Vec<Contact>,
    duplicates: u64,
    errors: Vec<RowError>,
}

impl Campaigns {
    pub(super) async fn add_call_list(
        &self,
        actor: &Actor,
        id: CampaignId,
        call_list: CallList,
    ) -> Result<Upload, ServiceError> {
        let (mut work, upload, _) = self.take_in(actor, id, call_list).await?;
        work.call_lists().insert(&upload).await?;
        work.commit().await?;
        self.wake_up.wake();
        Ok(upload)
    }

    pub(super) async fn preview_call_list(
        &self,
        actor: &Actor,
        id: CampaignId,
        call_list: CallList,
    ) -> Result<(Upload, Vec<Contact>), ServiceError> {
        // Only the store knows who is in the campaign already, so the tasks are really added; the
        // unit of work is dropped, which undoes it.
        let (_, upload, contacts) = self.take_in(actor, id, call_list).await?;
        Ok((upload, contacts))
    }

    /// Adds the tasks in a unit of work that is still to be committed.
    async fn take_in(
        &self,
        actor: &Actor,
        id: CampaignId,
        call_list: CallList,
    ) -> Result<(Box<dyn UnitOfWork>, Upload, Vec<Contact>), ServiceError> {
        let mut work = self.begin(actor).await?;
        let region = company(&mut *work, actor).await?.region;
        let campaign = locked(&mut *work, id).await?;
        refuse_ended(&campaign)?;
        let sorted = sort(&call_list, region);
        let first_contacts = sorted.contacts.iter().take(PREVIEWED).cloned().collect();
        let now = self.clock.now();
        let upload_id: UploadId = self.ids.next();
        let tasks = self
            .tasks(&mut *work, &campaign, upload_id, sorted.contacts, now)
            .await?;
        let inserted = work.call_tasks().insert_many(&tasks).await?;
        let excluded = tasks
            .iter()
            .filter(|task| task.state == TaskState::Excluded && inserted.contains(&task.id))
            .count();
        let upload = Upload {
            id: upload_id,
            company_id: campaign.company_id,
            campaign_id: campaign.id,
            total_rows: call_list.rows.len() as u64,
            file_name: call_list.file_name,
            columns: call_list.columns,
            created: inserted.len() as u64,
            duplicates_in_list: sorted.duplicates,
            duplicates_in_campaign: (tasks.len() - inserted.len()) as u64,
            excluded: excluded as u64,
            errors: sorted.errors,
            created_at: now,
        };
        Ok((work, upload, first_contacts))
    }

    async fn tasks(
        &self,
        work: &mut dyn UnitOfWork,
        campaign: &Campaign,
        upload_id: UploadId,
        contacts: Vec<Contact>,
        now: Timestamp,
    ) -> Result<Vec<CallTask>, ServiceError> {
        let numbers: Vec<PhoneNumber> = contacts
            .iter()
            .map(|contact| contact.phone_number)
            .collect();
        let excluded = work.exclusions().among(&numbers).await?;
        Ok(contacts
            .into_iter()
            .map(|contact| {
                let (state, reason) = if excluded.contains(&contact.phone_number) {
                    (TaskState::Excluded, Some(Reason::Excluded))
                } else {
                    (TaskState::Pending { due_at: now }, None)
                };
                CallTask {
                    id: self.ids.next(),
                    company_id: campaign.company_id,
                    campaign_id: campaign.id,
                    upload_id: Some(upload_id),
                    contact,
                    state,
                    attempts_count: 0,
                    attempts_spent: 0,
                    last_attempt_at: None,
                    outcome: None,
                    reason,
                    created_at: now,
                    updated_at: now,
                    version: 1,
                }
            })
            .collect())
    }
}

fn refuse_ended(campaign: &Campaign) -> Result<(), ServiceError> {
    if campaign.status.is_final() {
        return Err(ServiceError::NotAllowed {
            code: "campaign_ended",
            message: format!("a {} campaign takes no call list", campaign.status),
        });
    }
    if let Some(reason) = campaign.winding_up {
        return Err(ServiceError::NotAllowed {
            code: "campaign_winding_up",
            message: format!(
                "the campaign calls nobody any more and takes no call list: {}",
                reason.sentence()
            ),
        });
    }
    Ok(())
}

fn sort(call_list: &CallList, region: Region) -> Sorted {
    let mut seen = HashSet::new();
    let mut sorted = Sorted {
        contacts: Vec::new(),
        duplicates: 0,
        errors: Vec::new(),
    };
    for row in &call_list.rows {
        match row.contact(region) {
            Ok(contact) if seen.insert(contact.phone_number) => sorted.contacts.push(contact),
            Ok(_) => sorted.duplicates += 1,
            Err(error) => sorted.errors.push(error),
        }
    }
    sorted
}
