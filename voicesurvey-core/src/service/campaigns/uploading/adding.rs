//! Adding rows, batch by batch.

use std::collections::HashSet;

use super::erased::ErasedPeople;
use crate::call_list::{Contact, ReadRow, RowError, Upload};
use crate::call_task::{CallTask, TaskState};
use crate::campaign::Campaign;
use crate::exclusion::{Exclusion, ExclusionSource};
use crate::gate::Reason;
use crate::id::{ApiKeyId, IdGenerator};
use crate::phone_number::{PhoneNumber, Region};
use crate::ports::{StorageError, UnitOfWork};
use crate::service::exclusions::batches::NUMBERS_AT_ONCE;
use crate::time::Timestamp;

/// Numbers that were seen, in eight bytes each.
#[derive(Debug, Default)]
pub(crate) struct SeenNumbers(HashSet<u64>);

impl SeenNumbers {
    /// `false` if the number was seen before.
    pub(crate) fn insert(&mut self, number: &PhoneNumber) -> bool {
        self.0.insert(digits(number))
    }

    /// Whether the number was seen.
    pub(crate) fn contains(&self, number: &PhoneNumber) -> bool {
        self.0.contains(&digits(number))
    }

    /// All of them, each once.
    fn numbers(&self) -> impl Iterator<Item = PhoneNumber> {
        let texts = self.0.iter().map(|digits| format!("+{digits}"));
        texts.filter_map(|text| text.parse().ok())
    }
}

fn digits(number: &PhoneNumber) -> u64 {
    // The digits behind the plus sign: 15 at most, the first of them not 0. Lists hold no numbers
    // that are nobody's, which have more.
    let digits = number.as_str().bytes().skip(1);
    digits.fold(0_u64, |digits, digit| {
        digits
            .wrapping_mul(10)
            .wrapping_add(u64::from(digit - b'0'))
    })
}

/// A list that is being added to a campaign.
pub(super) struct Adding<'a> {
    ids: &'a IdGenerator,
    campaign: Campaign,
    upload: Upload,
    now: Timestamp,
    created_by: ApiKeyId,
    seen: SeenNumbers,
    erased: ErasedPeople,
    /// The list says that they must not be called.
    do_not_call: Vec<PhoneNumber>,
    /// Those of them that were not taken as people who wait.
    taken_excluded: SeenNumbers,
}

impl<'a> Adding<'a> {
    pub(super) fn new(
        ids: &'a IdGenerator,
        campaign: Campaign,
        upload: Upload,
        region: Region,
        now: Timestamp,
        created_by: ApiKeyId,
    ) -> Self {
        Self {
            ids,
            campaign,
            upload,
            now,
            created_by,
            seen: SeenNumbers::default(),
            erased: ErasedPeople::new(region),
            do_not_call: Vec::new(),
            taken_excluded: SeenNumbers::default(),
        }
    }

    /// Adds the next rows.
    pub(super) async fn add(
        &mut self,
        work: &mut dyn UnitOfWork,
        rows: Vec<ReadRow>,
    ) -> Result<(), StorageError> {
        let mut contacts = Vec::with_capacity(rows.len());
        let mut errors = Vec::new();
        self.upload.total_rows += rows.len() as u64;
        for row in rows {
            // Also of a row that repeats a number or is not taken: who says so once is believed.
            self.do_not_call.extend(row.do_not_call);
            match row.contact {
                Ok(contact) if self.seen.insert(&contact.phone_number) => {
                    if contact.do_not_call() {
                        self.taken_excluded.insert(&contact.phone_number);
                    }
                    contacts.push(contact);
                }
                Ok(_) => self.upload.duplicates_in_list += 1,
                Err(error) => errors.push(error),
            }
        }
        let erased = &mut self.erased;
        self.upload.erased += erased.take_out(work, &mut contacts, &mut errors).await?;
        self.keep_errors(work, &errors).await?;
        self.add_contacts(work, contacts).await
    }

    async fn keep_errors(
        &mut self,
        work: &mut dyn UnitOfWork,
        errors: &[RowError],
    ) -> Result<(), StorageError> {
        if errors.is_empty() {
            return Ok(());
        }
        self.upload.errors_count += errors.len() as u64;
        let errors: Vec<RowError> = errors.iter().map(storable).collect();
        let widths = errors.iter().map(|error| error.original.len());
        let width = widths.fold(self.upload.columns.len(), usize::max);
        self.upload.columns.resize(width, String::new());
        work.call_lists().insert_errors(&self.upload, &errors).await
    }

    async fn add_contacts(
        &mut self,
        work: &mut dyn UnitOfWork,
        contacts: Vec<Contact>,
    ) -> Result<(), StorageError> {
        let numbers: Vec<_> = contacts.iter().map(|one| one.phone_number).collect();
        let excluded = work.exclusions().among(&numbers).await?;
        let tasks = contacts.into_iter().map(|contact| {
            let is_excluded = contact.do_not_call() || excluded.contains(&contact.phone_number);
            self.task(contact, is_excluded)
        });
        let tasks: Vec<CallTask> = tasks.collect();
        let added = work.call_tasks().insert_many(&tasks).await?;
        let excluded = tasks
            .iter()
            .filter(|task| task.state == TaskState::Excluded && added.contains(&task.id));
        self.upload.excluded += excluded.count() as u64;
        self.upload.created += added.len() as u64;
        self.upload.duplicates_in_campaign += (tasks.len() - added.len()) as u64;
        Ok(())
    }

    fn task(&self, contact: Contact, is_excluded: bool) -> CallTask {
        let (state, reason) = if is_excluded {
            (TaskState::Excluded, Some(Reason::Excluded))
        } else {
            (TaskState::Pending { due_at: self.now }, None)
        };
        CallTask {
            id: self.ids.next(),
            cells: self.campaign.cells_of(&contact),
            company_id: self.campaign.company_id,
            campaign_id: self.campaign.id,
            upload_id: Some(self.upload.id),
            contact,
            state,
            attempts_count: 0,
            attempts_spent: 0,
            last_attempt_at: None,
            outcome: None,
            reason,
            created_at: self.now,
            updated_at: self.now,
            version: 1,
        }
    }

    /// Puts those who must not be called onto the company's exclusion list: from the commit on nobody
    /// dials them. Returns what became of the rows, and these numbers: what waits for them in any
    /// campaign is to be ended after the commit, so that no lock on it is held here.
    pub(super) async fn finish(
        mut self,
        work: &mut dyn UnitOfWork,
    ) -> Result<(Upload, Vec<PhoneNumber>), StorageError> {
        self.erase_again(work).await?;
        // In one order, so that two uploads do not wait for each other.
        self.do_not_call.sort_unstable();
        self.do_not_call.dedup();
        self.count_said_later(work).await?;
        let note = format!("the column do_not_call of upload {}", self.upload.id);
        let exclusion = |&phone_number: &PhoneNumber| Exclusion {
            company_id: Some(self.campaign.company_id),
            phone_number,
            source: ExclusionSource::Import,
            attempt_id: None,
            note: Some(note.clone()),
            created_at: self.now,
            created_by: Some(self.created_by),
        };
        for numbers in self.do_not_call.chunks(NUMBERS_AT_ONCE) {
            let entries: Vec<Exclusion> = numbers.iter().map(exclusion).collect();
            work.exclusions().insert_many(&entries).await?;
        }
        Ok((self.upload, self.do_not_call))
    }

    /// Makes nobody of those whom somebody has erased while they were added: their erasure could not
    /// see them. Nobody is erased from here on until the list is committed.
    async fn erase_again(&mut self, work: &mut dyn UnitOfWork) -> Result<(), StorageError> {
        work.erasures().hold_off().await?;
        if !self.erased.are_more(work).await? {
            return Ok(());
        }
        let mut numbers: Vec<PhoneNumber> = self.seen.numbers().collect();
        numbers.sort_unstable();
        for numbers in numbers.chunks(NUMBERS_AT_ONCE) {
            let mut erased: Vec<_> = work.erasures().among(numbers).await?.into_iter().collect();
            erased.sort_unstable();
            for number in erased {
                let mut tasks = work.erasures().tasks_with_number(&number).await?;
                tasks.retain(|task| task.upload_id == Some(self.upload.id));
                if tasks.is_empty() {
                    continue;
                }
                let is_waiting = |task: &&CallTask| task.state != TaskState::Excluded;
                self.upload.excluded += tasks.iter().filter(is_waiting).count() as u64;
                let waiting = work.call_tasks();
                waiting.exclude_waiting(&[number], self.now).await?;
                work.erasures().erase(&number, &tasks, self.now).await?;
            }
        }
        Ok(())
    }

    /// Counts those who were added as people who wait, and of whom another row says that they must
    /// not be called. There are few, if any: only numbers that stand in several rows.
    async fn count_said_later(&mut self, work: &mut dyn UnitOfWork) -> Result<(), StorageError> {
        for phone_number in &self.do_not_call {
            if !self.seen.contains(phone_number) || self.taken_excluded.contains(phone_number) {
                continue;
            }
            let waiting = work.call_tasks().waiting_with_number(phone_number).await?;
            let of_this_list = |task: &&CallTask| task.upload_id == Some(self.upload.id);
            self.upload.excluded += waiting.iter().filter(of_this_list).count() as u64;
        }
        Ok(())
    }
}

/// The row, so that every store can keep it: some keep no zero byte.
fn storable(error: &RowError) -> RowError {
    let without_zeros = |text: &String| text.replace('\0', "\u{fffd}");
    RowError {
        row: error.row,
        column: without_zeros(&error.column),
        value: without_zeros(&error.value),
        reason: without_zeros(&error.reason),
        original: error.original.iter().map(without_zeros).collect(),
    }
}
