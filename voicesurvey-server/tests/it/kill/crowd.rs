//! The people who are called in a kill test: two companies, five campaigns, and limits that bind.

use std::fmt::Write as _;

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use voicesurvey_core::call_task::{CallTask, TaskStatus};
use voicesurvey_core::campaign::CampaignStatus;
use voicesurvey_core::id::{CampaignId, CompanyId};
use voicesurvey_core::ports::repositories::{CallTaskFilter, CampaignCounters};
use voicesurvey_core::ports::{PageRequest, Scope, Storage as _, UnitOfWork};

use super::machines::Machines;

/// Everybody who is called.
pub(super) struct Crowd {
    pub(super) companies: Vec<Company>,
}

/// A company with its limits.
pub(super) struct Company {
    pub(super) id: CompanyId,
    pub(super) limits: Limits,
    pub(super) campaigns: Vec<Campaign>,
}

/// A campaign with its limits.
pub(super) struct Campaign {
    pub(super) id: CampaignId,
    pub(super) limits: Limits,
    pub(super) contacts: usize,
    pub(super) max_attempts: u16,
}

/// How many calls at once, and how many in any 60 seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) at_once: usize,
    pub(super) per_minute: usize,
}

/// What a campaign is made of.
struct Plan {
    percent_of_contacts: usize,
    limits: Limits,
    max_attempts: u16,
    /// The number of its first contact; campaigns of a company may share numbers.
    first_number: usize,
}

const fn limits(at_once: usize, per_minute: usize) -> Limits {
    Limits {
        at_once,
        per_minute,
    }
}

impl Limits {
    /// The limits with which ten thousand take four times as long as a thousand.
    fn scaled_for(self, contacts: usize) -> Self {
        let factor = (contacts / 2_500).max(1);
        limits(self.at_once * factor, self.per_minute * factor)
    }
}

impl Crowd {
    /// Creates companies and campaigns, uploads the people, and starts everything.
    pub(super) async fn call(machines: &Machines, contacts: usize) -> Self {
        let plan = |percent_of_contacts, limits, max_attempts, first_number| Plan {
            percent_of_contacts,
            limits,
            max_attempts,
            first_number,
        };
        // The second campaign calls half of the people of the first, and some of the third.
        let shop = [
            plan(27, limits(10, 160), 1, 0),
            plan(28, limits(50, 1_000), 1, contacts * 14 / 100),
            plan(5, limits(50, 1_000), 2, contacts * 40 / 100),
        ];
        let bank = [
            plan(20, limits(6, 1_000), 1, 0),
            plan(20, limits(20, 100), 1, contacts * 20 / 100),
        ];
        let mut companies = Vec::new();
        for (name, at_most, plans) in [
            ("Shop", limits(20, 330), &shop[..]),
            ("Bank", limits(12, 600), &bank[..]),
        ] {
            let at_most = at_most.scaled_for(contacts);
            companies.push(Company::create(machines, name, at_most, plans, contacts).await);
        }
        Self { companies }
    }

    /// The counters of every campaign.
    pub(super) async fn counters(&self, machines: &Machines) -> Vec<CampaignCounters> {
        let mut counters = Vec::new();
        for company in &self.companies {
            let mut work = company.begin(machines).await;
            for campaign in &company.campaigns {
                counters.push(work.campaigns().counters(campaign.id).await.unwrap());
            }
        }
        counters
    }

    /// Tasks that have not ended; a thousand of each status and company at most.
    pub(super) async fn open_tasks(&self, machines: &Machines) -> Vec<CallTask> {
        let mut open = Vec::new();
        for company in &self.companies {
            let mut work = company.begin(machines).await;
            let statuses = TaskStatus::ALL.into_iter();
            for status in statuses.filter(|status| !status.is_final()) {
                let filter = CallTaskFilter {
                    status: Some(status),
                    ..CallTaskFilter::default()
                };
                let page = PageRequest::first(PageRequest::LARGEST);
                open.extend(work.call_tasks().list(&filter, &page).await.unwrap().rows);
            }
        }
        open
    }

    /// Whether every campaign that has nobody left to call says so.
    pub(super) async fn is_finished(&self, machines: &Machines) -> bool {
        for company in &self.companies {
            let mut work = company.begin(machines).await;
            for campaign in &company.campaigns {
                let counters = work.campaigns().counters(campaign.id).await.unwrap();
                let campaign = work.campaigns().get(campaign.id).await.unwrap().unwrap();
                if (counters.open_tasks() == 0) != (campaign.status == CampaignStatus::Completed) {
                    return false;
                }
            }
        }
        true
    }
}

impl Company {
    /// A look at what is the company's.
    pub(super) async fn begin(&self, machines: &Machines) -> Box<dyn UnitOfWork> {
        let scope = Scope::Company(self.id);
        machines.storage().begin(scope).await.unwrap()
    }

    async fn create(
        machines: &Machines,
        name: &str,
        limits: Limits,
        plans: &[Plan],
        contacts: usize,
    ) -> Self {
        let company = machines
            .json_of(&["company", "create", "--name", name, "--json"])
            .await;
        let id: CompanyId = serde_json::from_value(company["id"].clone()).unwrap();
        limit(machines, id, limits).await;
        let create = ["api-key", "create", "--role", "admin", "--json"];
        let of_company = ["--company", &id.to_string()];
        let key = machines.json_of(&[&create[..], &of_company].concat()).await;
        let key = key["key"].as_str().unwrap();
        let mut campaigns = Vec::new();
        for plan in plans {
            campaigns.push(Campaign::start(machines, key, plan, contacts).await);
        }
        Self {
            id,
            limits,
            campaigns,
        }
    }
}

/// The limits of a company are the operator's, who has no token in this test.
async fn limit(machines: &Machines, id: CompanyId, limits: Limits) {
    let mut work = machines.storage().begin(Scope::Platform).await.unwrap();
    let mut company = work.companies().get(id).await.unwrap().unwrap();
    company.limits.max_concurrent_calls = limits.at_once.try_into().unwrap();
    company.limits.calls_per_minute = limits.per_minute.try_into().unwrap();
    work.companies().update(&company).await.unwrap();
    work.commit().await.unwrap();
}

impl Campaign {
    async fn start(machines: &Machines, key: &str, plan: &Plan, contacts: usize) -> Self {
        let limits = plan.limits.scaled_for(contacts);
        let settings = settings(limits, plan.max_attempts);
        let request = machines.client.post(machines.url("/api/campaigns"));
        let created = answer(request.bearer_auth(key).json(&settings), 201).await;
        let id: CampaignId = serde_json::from_value(created["id"].clone()).unwrap();

        let contacts = contacts * plan.percent_of_contacts / 100;
        let path = format!("/api/campaigns/{id}/contacts/upload");
        let list = Part::text(call_list(plan.first_number, contacts)).file_name("list.csv");
        let request = machines.client.post(machines.url(&path));
        let form = Form::new().part("file", list);
        let uploaded = answer(request.bearer_auth(key).multipart(form), 201).await;
        assert_eq!(uploaded["created"], contacts, "{uploaded}");

        let path = format!("/api/campaigns/{id}/start");
        let request = machines.client.post(machines.url(&path));
        answer(request.bearer_auth(key), 200).await;
        Self {
            id,
            limits,
            contacts,
            max_attempts: plan.max_attempts,
        }
    }
}

/// Open day and night; the three kinds of questions.
fn settings(limits: Limits, max_attempts: u16) -> Value {
    let all_day = json!([["00:00", "24:00"]]);
    let weekly = json!({
        "mon": all_day, "tue": all_day, "wed": all_day, "thu": all_day, "fri": all_day,
        "sat": all_day, "sun": all_day,
    });
    json!({
        "name": "Satisfaction",
        "language": "it",
        "intro_script": "Ciao, vuoi partecipare a un breve sondaggio?",
        "questions": [
            { "key": "mood", "text": "Come stai oggi?", "type": "free_text" },
            { "key": "score", "text": "Da 1 a 5 quanto sei soddisfatto?", "type": "scale" },
            { "key": "coffee", "text": "Quanti caffè bevi al giorno?", "type": "numeric" },
        ],
        "completion_message": "Grazie, abbiamo finito.",
        "calling_hours": { "weekly": weekly },
        "max_concurrent_calls": limits.at_once,
        "calls_per_minute": limits.per_minute,
        "max_attempts": max_attempts,
        "retry_interval_minutes": 1,
    })
}

/// Italian mobile numbers, one after the other.
fn call_list(first: usize, contacts: usize) -> String {
    let mut list = "phone_number,name\n".to_owned();
    for index in first..first + contacts {
        writeln!(list, "+39347{:07},Person {index}", 1_000_000 + index).unwrap();
    }
    list
}

/// The body of an answer that must have that status.
async fn answer(request: reqwest::RequestBuilder, status: u16) -> Value {
    let answer = request.send().await.unwrap();
    let given = answer.status();
    let body: Value = answer.json().await.unwrap();
    assert_eq!(given, status, "{body}");
    body
}
