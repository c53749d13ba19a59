//! Calls whose orders were never answered: what a provider is told, so that it can look for them.

use chrono::TimeDelta;
use voicesurvey_core::ports::{Scope, Storage as _, UnconfirmedCall};
use voicesurvey_core::testing::samples::{self, SampleCampaign as _};

use super::scripted::{Answers, Knows, World, reference};

#[tokio::test]
async fn it_is_told_by_number_and_time_and_apart_from_every_other_call_to_the_number() {
    let world = World::new().await;
    // Another company has called the same person through the same account a little earlier.
    let other = samples::company();
    let others = samples::campaign(&other).running();
    let other_task = samples::task(&others, samples::phone_number(1).as_str());
    let mut work = world.store.begin(Scope::Platform).await.unwrap();
    work.companies().insert(&other).await.unwrap();
    work.skillbases()
        .insert(&samples::skillbase(&other))
        .await
        .unwrap();
    work.commit().await.unwrap();
    world
        .insert(&others, std::slice::from_ref(&other_task))
        .await;
    world.step().await;
    let earlier = world.latest_attempt(&other_task).await;
    let earlier_id = earlier.provider_call_id.clone().unwrap();

    world.clock.advance(TimeDelta::minutes(1));
    world.provider.answers(Answers::Unknown);
    world.provider.knows(Knows::Nothing);
    let campaign = samples::campaign(&world.company);
    let task = samples::task(&campaign, samples::phone_number(1).as_str());
    world.start(&campaign, std::slice::from_ref(&task)).await;
    world.step().await;
    let attempt = world.latest_attempt(&task).await;
    world.clock.advance(TimeDelta::minutes(3));
    world.recover().await;
    assert_eq!(
        world.provider.sought(),
        [UnconfirmedCall {
            call: reference(&attempt),
            phone_number: samples::phone_number(1),
            committed_at: attempt.created_at,
            dial_before: attempt.dial_before,
            other_calls: vec![earlier_id],
        }],
        "the call that has a name is asked for by its name"
    );
}
