//! The repositories of erasure and retention.

use std::collections::HashSet;
use std::num::NonZeroU16;

use async_trait::async_trait;

use super::storage::{Page, PageRequest, StorageError};
use crate::call_attempt::CallAttempt;
use crate::call_task::CallTask;
use crate::erasure::{ErasedRows, Erasure, Retention};
use crate::id::{CallAttemptId, CampaignId, CompanyId, ErasureId};
use crate::phone_number::PhoneNumber;
use crate::time::Timestamp;

/// Erasing one person, in a company's scope.
#[async_trait]
pub trait ErasureRepository: Send {
    /// Waits until nobody else erases people of the company, and no unit of work
    /// [holds erasures off](Self::hold_off). Taken before anything else, so that nobody waits for
    /// whoever waits. A store in which one unit of work writes at a time has nothing to do.
    async fn take_turn(&mut self) -> Result<(), StorageError> {
        Ok(())
    }
    /// Keeps people of the company from being erased until the unit of work ends, and waits for
    /// whoever is erasing one: what is asked afterwards stays true. Any number of units of work may.
    /// A store in which one unit of work writes at a time has nothing to do.
    async fn hold_off(&mut self) -> Result<(), StorageError> {
        Ok(())
    }
    /// How many numbers the company has erased.
    async fn count(&mut self) -> Result<u64, StorageError>;
    /// Those of the numbers that the company has erased.
    async fn among(
        &mut self,
        phone_numbers: &[PhoneNumber],
    ) -> Result<HashSet<PhoneNumber>, StorageError>;
    /// The tasks of the company that have the number, in whatever campaign and status, locked, with
    /// the calls to it.
    async fn tasks_with_number(
        &mut self,
        phone_number: &PhoneNumber,
    ) -> Result<Vec<CallTask>, StorageError>;
    /// Erases who the person behind these tasks is and what they said, the number's entries on the
    /// exclusion list and among what was taken off it, and the rows of uploads that were not taken
    /// and in which the number [stands](crate::call_list::RowError::has_number). The tasks and their
    /// attempts remain, with a number that is [nobody's](CallTask::nobodys_number). None of them may
    /// wait or be in progress; the caller sees to it. The provider's name of a call stays as long as
    /// its [price](crate::call_attempt::CallAttempt::price_due_at) is asked for. Recordings are counted,
    /// and remain until they are [forgotten](Self::forget_recording).
    async fn erase(
        &mut self,
        phone_number: &PhoneNumber,
        tasks: &[CallTask],
        now: Timestamp,
    ) -> Result<ErasedRows, StorageError>;
    /// Takes the number out of the [further numbers](crate::call_list::Contact::other_phone_numbers)
    /// of other contacts of the company, whatever their status. Returns their campaigns, one for each
    /// contact.
    async fn forget_other_number(
        &mut self,
        phone_number: &PhoneNumber,
        now: Timestamp,
    ) -> Result<Vec<CampaignId>, StorageError>;
    /// Keeps the keyed hash of an erased number, so that it is [excluded] for good. `false` if the
    /// store was given no keys; one that is kept already stays as it is.
    ///
    /// [excluded]: crate::exclusion::ExcludedBy::Erasure
    async fn keep_hash(
        &mut self,
        phone_number: &PhoneNumber,
        erasure_id: ErasureId,
        now: Timestamp,
    ) -> Result<bool, StorageError>;
    /// The first erasure of that number, if its hash is kept.
    async fn erasure_of(
        &mut self,
        phone_number: &PhoneNumber,
    ) -> Result<Option<ErasureId>, StorageError>;
    /// Calls of the scope to people who are [nobody](CallTask::nobodys_number) any more, of whose
    /// recording something is known: those that the provider of that name has made, in the order of
    /// their identifiers, from behind `after` on.
    async fn recorded_calls(
        &mut self,
        provider: &str,
        after: Option<CallAttemptId>,
        at_most: NonZeroU16,
    ) -> Result<Vec<CallAttempt>, StorageError>;
    /// Forgets what is known of the recording of such a call, also from what the provider told. `false`
    /// if the call has changed since it was read, and nothing is forgotten.
    async fn forget_recording(&mut self, attempt: &CallAttempt) -> Result<bool, StorageError>;
    /// Keeps the report of an erasure.
    async fn insert(&mut self, erasure: &Erasure) -> Result<(), StorageError>;
    /// Looks a report up.
    async fn get(&mut self, id: ErasureId) -> Result<Option<Erasure>, StorageError>;
    /// Reports, newest first.
    async fn list(&mut self, page: &PageRequest) -> Result<Page<Erasure>, StorageError>;
}

/// How long companies keep what they know about people, and forgetting the rest.
///
/// Each method forgets up to `at_most` rows of the scope's company, and returns how many; fewer than
/// `at_most` means that nothing is left. Calls and events are older by their identifiers, which tell
/// when they were made. Repeating it is harmless. Files that were made of a campaign whose answers or
/// contacts are forgotten are [withdrawn](crate::ports::ExportRepository::withdraw).
#[async_trait]
pub trait RetentionRepository: Send {
    /// What the scope's company keeps.
    async fn get(&mut self) -> Result<Retention, StorageError>;
    /// Changes what the scope's company keeps.
    async fn set(&mut self, retention: &Retention) -> Result<(), StorageError>;
    /// The companies that do not keep everything for good. Needs the platform's scope.
    async fn companies(&mut self) -> Result<Vec<(CompanyId, Retention)>, StorageError>;
    /// Forgets what was said in calls that have ended: the words of their turns and what was understood
    /// of them, of their conversations and of answers. The rows stay, because results are made of
    /// them: which question was put when, and in which language.
    async fn forget_words(
        &mut self,
        before: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<u64, StorageError>;
    /// Forgets answers in campaigns that ended before, with what they were before they were corrected
    /// and what was said in the calls of those who gave them; and events for subscribers that are
    /// older, because they tell answers. Of an answer it stays known that something was stored, as
    /// [`Forgotten`](crate::conversation::AnswerResult::Forgotten).
    async fn forget_answers(
        &mut self,
        before: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<u64, StorageError>;
    /// Forgets who was called in campaigns that ended before: number, name and further columns, the
    /// provider's names of their calls, the rows of their uploads that were not taken, and the names of
    /// the uploaded files.
    async fn forget_contacts(
        &mut self,
        before: Timestamp,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<u64, StorageError>;
}
