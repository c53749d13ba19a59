//! What the gate must know of a person, read in the unit of work that asks it.

use crate::company::Company;
use crate::gate::{Circumstances, ContactHistory};
use crate::id::{CallAttemptId, CompanyId};
use crate::phone_number::PhoneNumber;
use crate::ports::{StorageError, UnitOfWork};
use crate::time::Timestamp;

/// The circumstances of a person as far as the company knows them.
///
/// Whether somebody is calling the number and whether the budget allows a call is left to whoever
/// asks: a claimed attempt, which is left out of the history by `except`, holds both by itself.
pub(super) async fn circumstances(
    work: &mut dyn UnitOfWork,
    company_id: CompanyId,
    number: &PhoneNumber,
    except: Option<CallAttemptId>,
    now: Timestamp,
) -> Result<Circumstances, StorageError> {
    let company = company_of(work, company_id).await?;
    let excluded = work.exclusions().excluded_by(number).await?.is_some();
    let history = if company.caps.is_unlimited() {
        ContactHistory::default()
    } else {
        let since = now - ContactHistory::REACH;
        work.call_attempts().history(number, since, except).await?
    };
    Ok(Circumstances::of(&company, excluded, history))
}

/// The company, which exists as long as anything of it does.
pub(super) async fn company_of(
    work: &mut dyn UnitOfWork,
    company_id: CompanyId,
) -> Result<Company, StorageError> {
    let company = work.companies().get(company_id).await?;
    company.ok_or_else(|| StorageError::Corrupt {
        table: "companies",
        what: format!("company {company_id} is gone, and something of it is not"),
    })
}
