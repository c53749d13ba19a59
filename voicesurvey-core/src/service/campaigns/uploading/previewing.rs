//! Looking at a list without adding it.

use super::adding::SeenNumbers;
use super::erased::ErasedPeople;
use crate::call_list::{Contact, Preview, ReadRow};
use crate::id::CampaignId;
use crate::phone_number::{PhoneNumber, Region};
use crate::ports::{StorageError, UnitOfWork};

/// Contacts that a preview shows.
const SHOWN_CONTACTS: usize = 10;

/// Rows that a preview names because they would not be taken.
const SHOWN_ERRORS: usize = 100;

/// A list that is being looked at.
pub(super) struct Previewing {
    campaign_id: CampaignId,
    seen: SeenNumbers,
    erased: ErasedPeople,
    /// Numbers that were counted as excluded.
    excluded: SeenNumbers,
    /// The list says that they must not be called.
    do_not_call: Vec<PhoneNumber>,
    preview: Preview,
}

impl Previewing {
    pub(super) fn new(campaign_id: CampaignId, region: Region) -> Self {
        Self {
            campaign_id,
            seen: SeenNumbers::default(),
            erased: ErasedPeople::new(region),
            excluded: SeenNumbers::default(),
            do_not_call: Vec::new(),
            preview: Preview::default(),
        }
    }

    /// Looks at the next rows; the store is only read.
    pub(super) async fn look_at(
        &mut self,
        work: &mut dyn UnitOfWork,
        rows: Vec<ReadRow>,
    ) -> Result<(), StorageError> {
        self.preview.total_rows += rows.len() as u64;
        let (mut contacts, mut errors) = (Vec::with_capacity(rows.len()), Vec::new());
        for row in rows {
            self.do_not_call.extend(row.do_not_call);
            match row.contact {
                Ok(contact) if self.seen.insert(&contact.phone_number) => contacts.push(contact),
                Ok(_) => self.preview.duplicates_in_list += 1,
                Err(error) => errors.push(error),
            }
        }
        let erased = &mut self.erased;
        self.preview.erased += erased.take_out(work, &mut contacts, &mut errors).await?;
        self.preview.errors_count += errors.len() as u64;
        let room = SHOWN_ERRORS.saturating_sub(self.preview.errors.len());
        self.preview.errors.extend(errors.into_iter().take(room));
        let numbers: Vec<_> = contacts.iter().map(|one| one.phone_number).collect();
        let excluded = work.exclusions().among(&numbers).await?;
        let tasks = work.call_tasks();
        let known = tasks.numbers_among(self.campaign_id, &numbers).await?;
        for contact in contacts {
            let number = contact.phone_number;
            let show = self.preview.contacts.len() < SHOWN_CONTACTS;
            if known.contains(&number) {
                self.preview.duplicates_in_campaign += 1;
            } else {
                let is_excluded = contact.do_not_call() || excluded.contains(&number);
                self.count(&contact, is_excluded);
            }
            if show {
                self.preview.contacts.push(contact);
            }
        }
        Ok(())
    }

    fn count(&mut self, contact: &Contact, is_excluded: bool) {
        let preview = &mut self.preview;
        preview.created += 1;
        if is_excluded {
            preview.excluded += 1;
            self.excluded.insert(&contact.phone_number);
        }
        let region = contact.phone_number.region();
        *preview.regions.entry(region).or_default() += 1;
        match contact.time_zones.as_slice() {
            [] => preview.without_time_zone += 1,
            [zone] => *preview.time_zones.entry(zone.name()).or_default() += 1,
            _ => preview.in_several_time_zones += 1,
        }
    }

    /// What would become of the rows.
    pub(super) async fn finish(
        mut self,
        work: &mut dyn UnitOfWork,
    ) -> Result<Preview, StorageError> {
        // Those who would have been added as people who wait.
        let mut said_later = self.do_not_call;
        said_later.retain(|number| self.seen.contains(number) && self.excluded.insert(number));
        let erased = work.erasures().among(&said_later).await?;
        said_later.retain(|number| !erased.contains(number));
        let tasks = work.call_tasks();
        let known = tasks.numbers_among(self.campaign_id, &said_later);
        let known = known.await?.len();
        self.preview.excluded += (said_later.len() - known) as u64;
        Ok(self.preview)
    }
}
