//! The examples run, and what they show is true.

use voicesurvey::call_task::TaskStatus;
use voicesurvey::campaign::CampaignStatus;

#[expect(
    dead_code,
    unreachable_pub,
    reason = "it is a program, and its main is not called"
)]
#[path = "../../examples/campaign_in_memory.rs"]
mod campaign_in_memory;

#[expect(
    dead_code,
    unreachable_pub,
    reason = "it is a program, and its main is not called"
)]
#[path = "../../examples/custom_telephony_provider.rs"]
mod custom_telephony_provider;

#[tokio::test]
async fn a_whole_campaign_runs_in_one_process() {
    let summary = campaign_in_memory::run(150, 11).await.unwrap();
    assert_eq!(summary.campaign.status, CampaignStatus::Completed);
    assert_eq!(summary.tasks.values().sum::<u64>(), 150);
    assert!(
        summary.tasks.keys().all(|status| status.is_final()),
        "{:?}",
        summary.tasks
    );
    assert!(
        summary.tasks[&TaskStatus::Completed] > 10,
        "{:?}",
        summary.tasks
    );
    assert!(
        summary.tasks[&TaskStatus::Refused] > 1,
        "{:?}",
        summary.tasks
    );
    let answered: Vec<u64> = summary
        .results
        .iter()
        .map(|result| result.answered)
        .collect();
    assert!(
        answered.iter().all(|&answered| answered > 10),
        "{answered:?}"
    );
    assert_eq!(summary.ledger.dialed_twice(), []);
    assert!(summary.ledger.rung_at_once().is_empty());
    assert!(
        summary.ledger.most_at_once() <= 10,
        "{}",
        summary.ledger.most_at_once()
    );
}

#[tokio::test]
async fn the_same_seed_gives_the_same_campaign() {
    let one = campaign_in_memory::run(60, 3).await.unwrap();
    let two = campaign_in_memory::run(60, 3).await.unwrap();
    assert_eq!(one.ledger, two.ledger);
    assert_eq!(one.results, two.results);
    assert_eq!(one.ended_at, two.ended_at);
}

#[tokio::test]
async fn a_provider_of_ones_own_takes_sixty_lines() {
    let dialed = custom_telephony_provider::run().await.unwrap();
    assert_eq!(dialed.len(), 2);
}
