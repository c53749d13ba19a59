//! Erasures, and what remains of erased numbers.

use std::collections::{BTreeSet, HashSet};
use std::num::NonZeroU16;
use std::ops::Bound;

use async_trait::async_trait;

use super::rows::{ErasedNumber, ReceivedEvent, TaskRow, UploadError, under};
use super::table::Transaction;
use super::{MemoryUnitOfWork, conflict, cursor, page_of, require};
use crate::call_attempt::{CallAttempt, CallEvent, CallEventKind};
use crate::call_list::{Contact, Upload};
use crate::call_task::CallTask;
use crate::company::Company;
use crate::conversation::{Answer, AnswerRevision, Consent, Conversation, Turn};
use crate::erasure::{ErasedRows, Erasure};
use crate::exclusion::{Exclusion, ExclusionRemoval};
use crate::id::{CallAttemptId, CallTaskId, CampaignId, CompanyId, ErasureId};
use crate::number_keys::{NumberHash, NumberKeyId};
use crate::phone_number::PhoneNumber;
use crate::ports::repositories::OutboxEvent;
use crate::ports::{ErasureRepository, Page, PageRequest, Scope, StorageError};
use crate::time::Timestamp;

impl Transaction {
    /// Removes the rows with those keys, and returns how many there were.
    pub(super) fn remove_all<R: super::table::Stored>(&mut self, keys: Vec<R::Key>) -> u64 {
        let mut removed = 0;
        for key in keys {
            removed += u64::from(self.remove::<R>(key));
        }
        removed
    }

    pub(super) fn keys_where<R: super::table::Stored>(
        &self,
        is_meant: impl Fn(&R) -> bool,
    ) -> Vec<R::Key> {
        let rows = self.table::<R>().range(..);
        rows.filter(|row| is_meant(row)).map(R::key).collect()
    }

    /// The attempts of a task.
    pub(super) fn attempts_of_task(&self, id: CallTaskId) -> Vec<CallAttempt> {
        let attempts = self.table::<CallAttempt>();
        let ids = under(&attempts.index().by_task, id);
        ids.filter_map(|id| attempts.get(&id).cloned()).collect()
    }

    /// Removes what was said in a call. Returns turns and conversations.
    pub(super) fn forget_call(&mut self, id: CallAttemptId) -> (u64, u64) {
        let turns = self.table::<Turn>().range((id, 0)..=(id, u32::MAX));
        let turns = turns.map(|turn| (turn.attempt_id, turn.sequence)).collect();
        let turns = self.remove_all::<Turn>(turns);
        let conversation = u64::from(self.remove::<Conversation>(id));
        (turns, conversation)
    }

    /// Removes answers with what they were before. Returns both numbers.
    pub(super) fn forget_answers(&mut self, answers: Vec<Answer>) -> (u64, u64) {
        let (mut removed, mut revisions) = (0, 0);
        for answer in answers {
            let old = self
                .table::<AnswerRevision>()
                .range((answer.id, 0)..=(answer.id, u32::MAX));
            let old = old.map(|row| (row.answer_id, row.number)).collect();
            revisions += self.remove_all::<AnswerRevision>(old);
            let key = (answer.task_id, answer.question_key);
            removed += u64::from(self.remove::<Answer>(key));
        }
        (removed, revisions)
    }

    /// Takes number, name and further columns from a task, and the number from its attempts. Returns
    /// how many attempts those were.
    pub(super) fn make_nobodys(&mut self, id: CallTaskId, now: Timestamp) -> u64 {
        let Some(row) = self.get::<TaskRow>(&id).cloned() else {
            return 0;
        };
        let number = row.task.nobodys_number();
        self.put(TaskRow {
            task: CallTask {
                contact: Contact {
                    phone_number: number,
                    name: String::new(),
                    language: None,
                    time_zones: Vec::new(),
                    priority: row.task.contact.priority,
                    extra: std::collections::BTreeMap::new(),
                },
                updated_at: now,
                version: row.task.version + 1,
                ..row.task
            },
            ..row
        });
        let attempts = self.attempts_of_task(id);
        for attempt in &attempts {
            self.put(CallAttempt {
                phone_number: number,
                provider_call_id: attempt
                    .provider_call_id
                    .clone()
                    .filter(|_| attempt.price_due_at.is_some()),
                version: attempt.version + 1,
                ..attempt.clone()
            });
        }
        attempts.len() as u64
    }

    fn erased_numbers(&self, company_id: CompanyId) -> impl Iterator<Item = &ErasedNumber> {
        let first = (company_id, NumberHash::LEAST);
        let rows = self.table::<ErasedNumber>().range(first..);
        rows.take_while(move |row| row.company_id == company_id)
    }
}

impl MemoryUnitOfWork {
    pub(super) fn own_company(&self) -> Result<CompanyId, StorageError> {
        match self.scope {
            Scope::Company(company_id) => Ok(company_id),
            Scope::Platform => Err(conflict("a person is erased in a company")),
        }
    }

    /// Those of the numbers that the company has erased, with the erasure.
    pub(super) fn erased_among(
        &self,
        company_id: CompanyId,
        numbers: &[PhoneNumber],
    ) -> Result<Vec<(PhoneNumber, ErasureId)>, StorageError> {
        let used = self.transaction.erased_numbers(company_id);
        let used: BTreeSet<NumberKeyId> = used.map(|row| row.key_id).collect();
        let used: Vec<_> = used.into_iter().collect();
        let hashes = self.keys.hashes(&used, company_id, numbers);
        let hashes = hashes.map_err(|error| StorageError::Failed(Box::new(error)))?;
        let erased = hashes.into_iter().filter_map(|(hash, number)| {
            let row = self.transaction.get::<ErasedNumber>(&(company_id, hash))?;
            Some((number, row.erasure_id))
        });
        Ok(erased.collect())
    }

    fn forget_entries(&mut self, company_id: CompanyId, number: PhoneNumber) -> u64 {
        let entry = self
            .transaction
            .remove::<Exclusion>((number, Some(company_id)));
        let removals = self.transaction.keys_where::<ExclusionRemoval>(|row| {
            row.exclusion.company_id == Some(company_id) && row.exclusion.phone_number == number
        });
        u64::from(entry) + self.transaction.remove_all::<ExclusionRemoval>(removals)
    }

    /// Removes the company's rows of uploads that were not taken and in which the number stands.
    fn forget_upload_errors(&mut self, company_id: CompanyId, number: PhoneNumber) -> u64 {
        let digits = number.shared_digits();
        let is_meant = |row: &UploadError| {
            let upload = self.transaction.get::<Upload>(&row.upload_id);
            upload.is_some_and(|upload| upload.company_id == company_id)
                && row.error.has_number(&digits)
        };
        let rows = self.transaction.keys_where(is_meant);
        self.transaction.remove_all::<UploadError>(rows)
    }

    /// Takes something from what the provider told of a call.
    fn forget_of_events(&mut self, attempt: CallAttemptId, forget: impl Fn(&mut CallEvent)) {
        let told = self.transaction.table::<ReceivedEvent>();
        let told = told.range((attempt, String::new())..);
        let told = told.take_while(|row| row.0.attempt_id == attempt);
        let told: Vec<CallEvent> = told.map(|row| row.0.clone()).collect();
        for mut event in told {
            forget(&mut event);
            self.transaction.put(ReceivedEvent(event));
        }
    }
}

#[async_trait]
impl ErasureRepository for MemoryUnitOfWork {
    async fn count(&mut self) -> Result<u64, StorageError> {
        let company_id = self.own_company()?;
        Ok(self.transaction.erased_numbers(company_id).count() as u64)
    }

    async fn among(
        &mut self,
        phone_numbers: &[PhoneNumber],
    ) -> Result<HashSet<PhoneNumber>, StorageError> {
        let company_id = self.own_company()?;
        let erased = self.erased_among(company_id, phone_numbers)?;
        Ok(erased.into_iter().map(|(number, _)| number).collect())
    }

    async fn tasks_with_number(
        &mut self,
        phone_number: &PhoneNumber,
    ) -> Result<Vec<CallTask>, StorageError> {
        let company_id = self.own_company()?;
        let tasks = self.transaction.table::<TaskRow>().range(..);
        let tasks = tasks.map(|row| &row.task).filter(|task| {
            task.company_id == company_id && task.contact.phone_number == *phone_number
        });
        Ok(tasks.cloned().collect())
    }

    async fn erase(
        &mut self,
        phone_number: &PhoneNumber,
        tasks: &[CallTask],
        now: Timestamp,
    ) -> Result<ErasedRows, StorageError> {
        let company_id = self.own_company()?;
        let mut erased = ErasedRows {
            exclusions: self.forget_entries(company_id, *phone_number),
            upload_errors: self.forget_upload_errors(company_id, *phone_number),
            ..ErasedRows::default()
        };
        for task in tasks {
            self.may_write(task.company_id)?;
            let id = task.id;
            for attempt in self.transaction.attempts_of_task(id) {
                let (turns, conversations) = self.transaction.forget_call(attempt.id);
                erased.turns += turns;
                erased.conversations += conversations;
                erased.consents += u64::from(self.transaction.remove::<Consent>(attempt.id));
                self.forget_of_events(attempt.id, |event| event.provider_call_id = None);
                let recording = attempt.recording.as_ref();
                let is_kept = recording.is_some_and(|one| one.provider_recording_id.is_some());
                erased.recordings += u64::from(is_kept);
            }
            let first = (id, String::new());
            let answers = self.transaction.table::<Answer>().range(first..);
            let answers = answers.take_while(|row| row.task_id == id);
            let answers = answers.cloned().collect();
            let (answers, revisions) = self.transaction.forget_answers(answers);
            erased.answers += answers;
            erased.revisions += revisions;
            let told = id.to_string();
            let events = self.transaction.keys_where::<OutboxEvent>(|row| {
                row.company_id == company_id && row.body["task_id"] == told.as_str()
            });
            erased.events += self.transaction.remove_all::<OutboxEvent>(events);
            erased.calls += self.transaction.make_nobodys(id, now);
            erased.contacts += 1;
        }
        Ok(erased)
    }

    async fn forget_other_number(
        &mut self,
        phone_number: &PhoneNumber,
        now: Timestamp,
    ) -> Result<Vec<CampaignId>, StorageError> {
        let company_id = self.own_company()?;
        let number = HashSet::from([*phone_number]);
        let rows = self.transaction.table::<TaskRow>().range(..);
        let rows = rows.filter_map(|row| {
            let mut row = row.clone();
            let is_meant = row.task.company_id == company_id
                && row.task.contact.forget_other_phone_numbers(&number);
            is_meant.then_some(row)
        });
        let rows: Vec<TaskRow> = rows.collect();
        let campaigns = rows.iter().map(|row| row.task.campaign_id).collect();
        for mut row in rows {
            row.task.updated_at = now;
            row.task.version += 1;
            self.transaction.put(row);
        }
        Ok(campaigns)
    }

    async fn keep_hash(
        &mut self,
        phone_number: &PhoneNumber,
        erasure_id: ErasureId,
        _now: Timestamp,
    ) -> Result<bool, StorageError> {
        let company_id = self.own_company()?;
        if !self.erased_among(company_id, &[*phone_number])?.is_empty() {
            return Ok(true);
        }
        let Some((key_id, hash)) = self.keys.hash(company_id, phone_number) else {
            return Ok(false);
        };
        self.transaction.put(ErasedNumber {
            company_id,
            hash,
            key_id,
            erasure_id,
        });
        Ok(true)
    }

    async fn erasure_of(
        &mut self,
        phone_number: &PhoneNumber,
    ) -> Result<Option<ErasureId>, StorageError> {
        let company_id = self.own_company()?;
        let erased = self.erased_among(company_id, &[*phone_number])?;
        Ok(erased.first().map(|(_, id)| *id))
    }

    async fn recorded_calls(
        &mut self,
        provider: &str,
        after: Option<CallAttemptId>,
        at_most: NonZeroU16,
    ) -> Result<Vec<CallAttempt>, StorageError> {
        let attempts = self.transaction.table::<CallAttempt>().after(after);
        let attempts = attempts.filter(|attempt| {
            self.sees(attempt.company_id)
                && attempt.recording.is_some()
                && attempt.phone_number.is_nobodys()
                && attempt.provider == provider
        });
        Ok(attempts.take(at_most.get().into()).cloned().collect())
    }

    async fn forget_recording(&mut self, attempt: &CallAttempt) -> Result<bool, StorageError> {
        self.may_write(attempt.company_id)?;
        let stored = self.transaction.get::<CallAttempt>(&attempt.id);
        if stored.is_none_or(|stored| stored.version != attempt.version) {
            return Ok(false);
        }
        self.transaction.put(CallAttempt {
            recording: None,
            version: attempt.version + 1,
            ..attempt.clone()
        });
        self.forget_of_events(attempt.id, |event| {
            if let CallEventKind::Recorded { recording } = &mut event.kind {
                recording.provider_recording_id = None;
                recording.url = None;
            }
        });
        Ok(true)
    }

    async fn insert(&mut self, erasure: &Erasure) -> Result<(), StorageError> {
        self.may_write(erasure.company_id)?;
        let company_exists = self.transaction.has::<Company>(&erasure.company_id);
        require(company_exists, "the company does not exist")?;
        let is_new = !self.transaction.has::<Erasure>(&erasure.id);
        require(is_new, "the erasure exists")?;
        self.transaction.put(erasure.clone());
        Ok(())
    }

    async fn get(&mut self, id: ErasureId) -> Result<Option<Erasure>, StorageError> {
        let row = self.transaction.get::<Erasure>(&id);
        Ok(row.filter(|row| self.sees(row.company_id)).cloned())
    }

    async fn list(&mut self, page: &PageRequest) -> Result<Page<Erasure>, StorageError> {
        let before = cursor::<ErasureId>(page)?;
        let rows = self.transaction.table::<Erasure>().range((
            Bound::Unbounded,
            before.map_or(Bound::Unbounded, Bound::Excluded),
        ));
        let rows = rows.rev().filter(|row| self.sees(row.company_id));
        Ok(page_of(rows, page, |row| row.id.to_string()))
    }
}
