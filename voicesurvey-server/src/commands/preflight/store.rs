//! Gates of the store: its schema, the promises as far as rows can tell, its leader and its locks.

use std::collections::BTreeMap;

use voicesurvey_core::audit::{Check, Election, Finding, LockTrial};
use voicesurvey_core::call_attempt::AttemptState;
use voicesurvey_core::ports::repositories::CallAttemptFilter;
use voicesurvey_core::ports::{OtherProcess, PageRequest, Scope, StorageError};
use voicesurvey_core::time::Timestamp;

use super::gate::{Gate, GateResult, Problem};
use crate::config::DatabaseUrl;
use crate::stores::Stores;

const SCHEMA: &str = "the schema is the one this program needs";
const LEADER: &str = "one server leads";
const LOCKS: &str = "a lock keeps a second server from leading";
const UNKNOWN_CALLS: &str = "it is known of every call what became of it";

/// More than anybody looks at.
const MOST_EXAMPLES: u16 = 10;

/// It was not looked at.
pub(super) fn skipped_unknown_calls(why: &str) -> Gate {
    Gate::skipped("recovery", UNKNOWN_CALLS, why)
}

/// Every gate of the store that needs no unit of work.
pub(super) async fn gates(
    stores: &Stores,
    second: &dyn OtherProcess,
    url: &DatabaseUrl,
    now: Timestamp,
) -> Result<Vec<Gate>, StorageError> {
    match stores.audit.audit(now).await {
        Ok(findings) => {
            let mut gates = gates_of_audit(findings);
            gates.push(gate_of_election(stores.audit.election().await?));
            gates.push(gate_of_locks(stores.audit.try_locks(second).await?));
            Ok(gates)
        }
        Err(StorageError::NotMigrated { what }) => Ok(gates_without_schema(what, url)),
        Err(error) => Err(error),
    }
}

fn gates_of_audit(findings: Vec<Finding>) -> Vec<Gate> {
    let mut found: BTreeMap<Check, Finding> = BTreeMap::new();
    found.extend(findings.into_iter().map(|found| (found.check, found)));
    let schema = Gate {
        about: Check::Constraints.promise(),
        text: SCHEMA,
        result: GateResult::Pass { note: None },
    };
    let checks = Check::ALL.into_iter();
    let checks = checks.map(|check| gate_of_check(check, found.remove(&check)));
    let mut gates = vec![schema];
    gates.extend(checks);
    gates
}

fn gate_of_check(check: Check, finding: Option<Finding>) -> Gate {
    let result = match finding {
        None => GateResult::Pass { note: None },
        Some(finding) => {
            let examples = finding.examples.iter();
            let problem = Problem {
                summary: match finding.rows {
                    1 => "1 is wrong".to_owned(),
                    rows => format!("{rows} are wrong"),
                },
                examples: examples.map(ToString::to_string).collect(),
                what_to_do: check.what_to_do().to_owned(),
            };
            if check.is_warning() {
                GateResult::Warn(problem)
            } else {
                GateResult::Fail(problem)
            }
        }
    };
    Gate {
        about: check.promise(),
        text: check.text(),
        result,
    }
}

fn gate_of_election(election: Election) -> Gate {
    match election {
        Election::NotHeld => Gate::skipped("leader", LEADER, "the store takes one server only"),
        Election::NoLeader => Gate::skipped("leader", LEADER, "no server leads now"),
        Election::Leader {
            server,
            since,
            epoch,
        } => {
            let since = since.map_or_else(String::new, |since| {
                format!(" since {}", since.format("%F %T UTC"))
            });
            let note = Some(format!("{server}{since}, epoch {epoch}"));
            Gate {
                about: "leader",
                text: LEADER,
                result: GateResult::Pass { note },
            }
        }
    }
}

fn gate_of_locks(trial: LockTrial) -> Gate {
    match trial {
        LockTrial::NotNeeded => Gate::skipped("leader", LOCKS, "the store takes one server only"),
        LockTrial::Works => Gate::passed("leader", LOCKS, "tried with two processes"),
        LockTrial::Fails { what } => {
            let what_to_do = "give the servers the address of PostgreSQL itself, or of a pooler in \
                              session mode";
            Gate::failed("leader", LOCKS, what, what_to_do)
        }
    }
}

/// Nobody is called twice because of such a call, and its line and its number are blocked.
pub(super) async fn gate_of_unknown_calls(stores: &Stores) -> Result<Gate, StorageError> {
    let filter = CallAttemptFilter {
        state: Some(AttemptState::Unknown),
        ..CallAttemptFilter::default()
    };
    let mut work = stores.storage.begin(Scope::Platform).await?;
    let page = PageRequest::first(MOST_EXAMPLES);
    let unknown = work.call_attempts().list(&filter, &page).await?.rows;
    if unknown.is_empty() {
        return Ok(Gate::passed("recovery", UNKNOWN_CALLS, ""));
    }
    let examples = unknown.iter();
    let examples =
        examples.map(|attempt| format!("attempt {} of {}", attempt.id, attempt.created_at));
    Ok(Gate {
        about: "recovery",
        text: UNKNOWN_CALLS,
        result: GateResult::Warn(Problem {
            summary: "the provider could not tell of some".to_owned(),
            examples: examples.collect(),
            what_to_do: "look for them at the provider, and resolve each by \
                         POST /api/attempts/{id}/resolve; after four hours they count as lost"
                .to_owned(),
        }),
    })
}

/// Nothing can be told of a database with another schema.
fn gates_without_schema(what: String, url: &DatabaseUrl) -> Vec<Gate> {
    const WHY: &str = "the schema is another one";
    let schema = Gate {
        about: Check::Constraints.promise(),
        text: SCHEMA,
        result: GateResult::Fail(Problem {
            summary: what,
            examples: Vec::new(),
            what_to_do: format!(
                "run voicesurvey migrate --database-url {url}, or the version of this program \
                 that the database was made with"
            ),
        }),
    };
    let checks = Check::ALL.into_iter();
    let skipped = checks.map(|check| Gate::skipped(check.promise(), check.text(), WHY));
    let mut gates = vec![schema];
    gates.extend(skipped);
    gates.push(Gate::skipped("leader", LEADER, WHY));
    gates.push(Gate::skipped("leader", LOCKS, WHY));
    gates
}
