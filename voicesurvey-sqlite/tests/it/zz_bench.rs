use crate::file::DatabaseFile;
use voicesurvey_core::ports::*;
use voicesurvey_core::testing::samples::{self, SampleCampaign, SampleTask};
use std::time::Instant;
#[tokio::test]
async fn bench() {
    let file = DatabaseFile::new();
    let s = file.serve().await;
    let company = samples::company();
    let sk = samples::skillbase(&company);
    let mut campaign = samples::campaign(&company).with_lines(50000).running();
    campaign.settings.skillbase_id = sk.id;
    let mut w = s.begin(Scope::Platform).await.unwrap();
    w.companies().insert(&company).await.unwrap();
    w.skillbases().insert(&sk).await.unwrap();
    w.campaigns().insert(&campaign).await.unwrap();
    w.commit().await.unwrap();
    let tasks: Vec<_> = (0..100_000).map(|i| { let n = samples::phone_number(i); samples::task(&campaign, n.as_str()) }).collect();
    let t = Instant::now();
    let mut w = s.begin(Scope::Company(company.id)).await.unwrap();
    println!("added {}", w.call_tasks().insert_many(&tasks).await.unwrap().len());
    w.commit().await.unwrap();
    println!("insert {:?}", t.elapsed());
    let t = Instant::now();
    let mut w = s.begin(Scope::Company(company.id)).await.unwrap();
    println!("again {}", w.call_tasks().insert_many(&tasks).await.unwrap().len());
    drop(w);
    println!("again {:?}", t.elapsed());
    let t = Instant::now();
    let mut n = 0; let mut c=0;
    for i in 0..100 {
        let now = samples::now() + chrono::TimeDelta::seconds(i);
        let claimed = s.claim_due(&ClaimRequest { now, attempt_ids: (0..10).map(|_| samples::id()).collect(), provider: "x".into(), dial_before: now, lease_until: now }).await.unwrap();
        n += claimed.len(); c+=1;
    }
    println!("{c} claims of {n} {:?}", t.elapsed());
    let t = Instant::now();
    for _ in 0..100 {
        let w = s.begin(Scope::Company(company.id)).await.unwrap();
        w.commit().await.unwrap();
    }
    println!("100 empty works {:?}", t.elapsed());
    let t = Instant::now();
    let mut w = s.begin(Scope::Company(company.id)).await.unwrap();
    println!("{:?}", w.campaigns().delete(campaign.id).await);
    w.commit().await.unwrap();
    println!("delete {:?}", t.elapsed());
}
