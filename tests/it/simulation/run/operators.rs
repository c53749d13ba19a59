//! Operators: they pause, resume, cancel, change limits, upload and exclude, through any server
//! that is up. What is refused, and what fails on the way, is no concern of theirs.

use std::pin::Pin;
use std::sync::Arc;

use voicesurvey::api_key::Actor;
use voicesurvey::campaign::CampaignStatus;
use voicesurvey::exclusion::{Exclusion, ExclusionSource};
use voicesurvey::id::CampaignId;
use voicesurvey::ports::{PageRequest, Scope, Storage};
use voicesurvey::service::companies::CompanyChanges;
use voicesurvey::service::{CampaignService, Companies};
use voicesurvey::testing::samples;

use super::{NextStep, Run};
use crate::simulation::fleet::Serving;
use crate::simulation::world::{self, CampaignIdea, Operation};

/// What an operator asks for.
type Request = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Run<'_> {
    /// An operator does something, through some server.
    pub(super) fn operate(&mut self, operation: Operation) {
        let Some(serving) = self.fleet.any_server() else {
            return;
        };
        let tenant = self.chance.index(self.tenants.len());
        let actor = self.tenants[tenant].actor.clone();
        let campaigns = &self.tenants[tenant].campaigns;
        let campaign = self.chance.pick(campaigns);
        self.shared.note(format_args!("an operator: {operation:?}"));
        self.shared.state().happened[operation.fault() as usize] += 1;
        let activity = self.activity(&serving, operation, actor, campaign);
        let line = serving.line;
        self.begin("operator", async move {
            line.run(activity).await;
        });
    }

    /// Nothing is left to wait for: campaigns that stand still are moved. `false` if none was.
    pub(super) fn go_on(&mut self) -> bool {
        if !self.healed {
            self.shared
                .clock
                .set(self.plan.start + self.plan.trouble_for);
            self.heal();
        }
        let mut moved = false;
        for index in 0..self.tenants.len() {
            let actor = self.tenants[index].actor.clone();
            let engine = self.fleet.engine_of_operator(&self.ids);
            let page = PageRequest::first(PageRequest::LARGEST);
            let storage = &self.storage;
            self.next_step = NextStep::NotAsked;
            moved |= self.drive.finish(async move {
                let mut work = storage
                    .begin(Scope::Company(actor.company_id))
                    .await
                    .unwrap();
                let campaigns = work.campaigns().list(None, &page).await.unwrap().rows;
                drop(work);
                let mut moved = false;
                for campaign in campaigns {
                    moved |= match campaign.status {
                        CampaignStatus::Paused(_) => {
                            engine.campaigns().resume(&actor, campaign.id).await.is_ok()
                        }
                        CampaignStatus::Draft => {
                            engine.campaigns().start(&actor, campaign.id).await.is_ok()
                        }
                        _ => false,
                    };
                }
                moved
            });
        }
        if moved {
            self.shared
                .note(format_args!("campaigns that stood still go on"));
            self.look_at_everything();
        }
        moved
    }

    fn activity(
        &mut self,
        serving: &Serving,
        operation: Operation,
        actor: Actor,
        campaign: CampaignId,
    ) -> Request {
        let engine = serving.engine.clone();
        let storage: Arc<dyn Storage> = serving.ports.clone();
        let shared = self.shared.clone();
        let now = self.now();
        match operation {
            Operation::Pause => Box::pin(async move {
                drop(engine.campaigns().pause(&actor, campaign).await);
            }),
            Operation::Resume => Box::pin(async move {
                drop(engine.campaigns().resume(&actor, campaign).await);
            }),
            Operation::Cancel => Box::pin(async move {
                drop(engine.campaigns().cancel(&actor, campaign).await);
            }),
            Operation::Upload => {
                let people = world::people(&mut self.chance, self.plan.most_people);
                Box::pin(async move {
                    drop(engine.campaigns().upload(&actor, campaign, people).await);
                })
            }
            Operation::StartAnother => {
                let idea = CampaignIdea::of(&mut self.chance, self.plan.most_people);
                Box::pin(async move {
                    idea.realise(&engine, &actor, &shared).await;
                })
            }
            Operation::ChangeLimits => {
                let companies =
                    Companies::new(storage, self.shared.clock.clone(), serving.ids.clone());
                let changes = CompanyChanges {
                    limits: Some(world::limits(&mut self.chance)),
                    ..CompanyChanges::default()
                };
                Box::pin(async move {
                    drop(companies.change(actor.company_id, changes).await);
                })
            }
            Operation::Exclude => {
                let exclusion = Exclusion {
                    company_id: actor.company_id,
                    phone_number: samples::phone_number(self.chance.below(14)),
                    source: ExclusionSource::Api,
                    attempt_id: None,
                    created_at: now,
                };
                Box::pin(async move { exclude(&*storage, &exclusion).await })
            }
        }
    }
}

async fn exclude(storage: &dyn Storage, exclusion: &Exclusion) {
    let Ok(mut work) = storage.begin(Scope::Company(exclusion.company_id)).await else {
        return;
    };
    if work.exclusions().insert(exclusion).await.is_ok() {
        // A lost reply is the operator's to wonder about.
        drop(work.commit().await);
    }
}
