//! How a program that embeds voicesurvey tests its own code: with the mocks of the ports.

use std::sync::Arc;

use mockall::predicate::{always, eq};
use voicesurvey::api_key::{Actor, Role};
use voicesurvey::campaign::CampaignStatus;
use voicesurvey::id::CampaignId;
use voicesurvey::service::campaign_service::MockCampaignService;
use voicesurvey::service::{CampaignService, ServiceError};
use voicesurvey::testing::samples::{self, SampleCampaign};

/// The embedder's code under test: stops every campaign of a customer who has not paid.
struct Billing {
    campaigns: Arc<dyn CampaignService>,
}

impl Billing {
    /// Pauses what can be paused and returns how many campaigns that were.
    async fn stop_calling(
        &self,
        actor: &Actor,
        campaigns: &[CampaignId],
    ) -> Result<usize, ServiceError> {
        let mut paused = 0;
        for &id in campaigns {
            match self.campaigns.pause(actor, id).await {
                Ok(_) => paused += 1,
                // It was not running: that is what was wanted.
                Err(ServiceError::NotAllowed { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(paused)
    }
}

fn actor() -> Actor {
    let company = samples::company();
    Actor {
        company_id: company.id,
        api_key_id: samples::id(),
        role: Role::Manager,
    }
}

#[tokio::test]
async fn billing_pauses_what_runs_and_passes_over_what_does_not() {
    let running = samples::campaign(&samples::company()).running();
    let running_id = running.id;
    let draft_id: CampaignId = samples::id();
    let mut campaigns = MockCampaignService::new();
    campaigns
        .expect_pause()
        .with(always(), eq(running_id))
        .times(1)
        .returning(move |_, _| Ok(running.clone()));
    campaigns
        .expect_pause()
        .with(always(), eq(draft_id))
        .times(1)
        .returning(|_, _| {
            Err(ServiceError::NotAllowed {
                code: "invalid_transition",
                message: format!("a {} campaign cannot pause", CampaignStatus::Draft),
            })
        });

    let billing = Billing {
        campaigns: Arc::new(campaigns),
    };
    let paused = billing
        .stop_calling(&actor(), &[running_id, draft_id])
        .await
        .unwrap();
    assert_eq!(paused, 1);
}
