//! Companies and API keys.

use chrono::TimeDelta;

use super::StorageUnderTest;
use super::support::{
    all_pages, assert_conflict, begin, begin_as, commit, page_after, store_campaign, stored_company,
};
use crate::api_key::{ApiKey, ApiKeyHash, Role};
use crate::company::{Company, CompanyLimits};
use crate::erasure::Retention;
use crate::language::Language;
use crate::phone_number::Region;
use crate::ports::{PageRequest, Scope};
use crate::testing::samples;

/// A company reads back as it was stored.
pub async fn a_company_reads_back_as_it_was_stored(store: &dyn StorageUnderTest) {
    let companies = [
        samples::company(),
        Company {
            name: "Société « Łódź » ООО 株式会社 😀".to_owned(),
            time_zone: "America/Argentina/Buenos_Aires".parse().unwrap(),
            region: Region::US,
            language: Language::Ru,
            limits: CompanyLimits {
                max_concurrent_calls: 0,
                calls_per_minute: 2_000_000_000,
            },
            created_at: samples::now() + TimeDelta::microseconds(1),
            version: 7,
            ..samples::company()
        },
    ];
    for company in companies {
        let mut work = begin_as(store, Scope::Platform).await;
        work.companies().insert(&company).await.unwrap();
        commit(work).await;
        let mut work = begin(store, &company).await;
        assert_eq!(
            work.companies().get(company.id).await.unwrap(),
            Some(company)
        );
    }
}

/// Of two who change a company at the same time, the second is refused.
pub async fn a_stale_company_is_a_conflict(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let renamed = Company {
        name: "Renamed".to_owned(),
        ..company.clone()
    };
    let mut work = begin_as(store, Scope::Platform).await;
    work.companies().update(&renamed).await.unwrap();
    let stored = work.companies().get(company.id).await.unwrap();
    assert_eq!(
        stored,
        Some(Company {
            version: 2,
            ..renamed
        })
    );
    assert_conflict(work.companies().update(&company).await);
}

/// An identifier names one company.
pub async fn a_company_cannot_be_added_twice(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let mut work = begin_as(store, Scope::Platform).await;
    assert_conflict(work.companies().insert(&company).await);
}

/// A company that is removed takes its keys, skillbases and exclusions along, and nobody else's.
pub async fn a_company_is_removed_with_what_belongs_to_it(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let other = stored_company(store).await;
    let exclusion = samples::exclusion(&company, samples::phone_number(1));
    let mut work = begin(store, &company).await;
    work.api_keys()
        .insert(&samples::api_key(&company))
        .await
        .unwrap();
    work.exclusions().insert(&exclusion).await.unwrap();
    assert_conflict(work.companies().delete(company.id).await);
    drop(work);
    let mut work = begin(store, &company).await;
    work.exclusions().insert(&exclusion).await.unwrap();
    let removal = samples::exclusion_removal(&exclusion);
    work.exclusions().insert_removal(&removal).await.unwrap();
    let erasure = samples::erasure(&company);
    let erasures = work.erasures();
    erasures.insert(&erasure).await.unwrap();
    let number = samples::phone_number(2);
    let kept = erasures.keep_hash(&number, erasure.id, samples::now());
    assert!(kept.await.unwrap());
    work.retention().set(&Retention::default()).await.unwrap();
    work.events()
        .publish(&samples::outbox_event(&company))
        .await
        .unwrap();
    commit(work).await;
    let mut work = begin_as(store, Scope::Platform).await;
    assert!(work.companies().delete(company.id).await.unwrap());
    assert!(!work.companies().delete(company.id).await.unwrap());
    commit(work).await;
    let mut work = begin_as(store, Scope::Platform).await;
    assert_eq!(work.companies().get(company.id).await.unwrap(), None);
    assert_eq!(
        work.companies()
            .get(other.id)
            .await
            .unwrap()
            .map(|row| row.id),
        Some(other.id)
    );
    drop(work);
    let mut work = begin(store, &company).await;
    assert_eq!(
        work.exclusions()
            .get(&exclusion.phone_number)
            .await
            .unwrap(),
        None
    );
}

/// What was asked and answered is not thrown away with its company in passing.
pub async fn a_company_with_campaigns_is_not_removed(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = store_campaign(store, samples::campaign(&company)).await;
    let mut work = begin_as(store, Scope::Platform).await;
    assert_conflict(work.companies().delete(company.id).await);
    drop(work);
    let mut work = begin(store, &company).await;
    assert!(work.campaigns().get(campaign.id).await.unwrap().is_some());
}

/// Companies are listed in the order of their creation, and each page goes on where the one before
/// ended, whatever was added meanwhile.
pub async fn companies_are_listed_in_the_order_of_their_creation(store: &dyn StorageUnderTest) {
    let mut companies = Vec::new();
    for _ in 0..5 {
        companies.push(stored_company(store).await);
    }
    let mut work = begin_as(store, Scope::Platform).await;
    let first = work.companies().list(&PageRequest::first(2)).await.unwrap();
    assert_eq!(first.rows, companies[..2]);
    drop(work);
    companies.push(stored_company(store).await);
    let mut work = begin_as(store, Scope::Platform).await;
    let second = work.companies().list(&page_after(&first, 2)).await.unwrap();
    assert_eq!(second.rows, companies[2..4]);
    let all = all_pages!(4, |page| work.companies().list(page));
    assert_eq!(all, companies);
}

/// A key reads back as it was stored, with and without what is optional.
pub async fn an_api_key_reads_back_as_it_was_stored(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let later = |seconds| Some(samples::now() + TimeDelta::seconds(seconds));
    let keys = [
        samples::api_key(&company),
        ApiKey {
            name: "Перо".to_owned(),
            role: Role::Admin,
            expires_at: later(1),
            last_used_at: later(2),
            revoked_at: later(3),
            ..samples::api_key(&company)
        },
        ApiKey {
            role: Role::Viewer,
            ..samples::api_key(&company)
        },
    ];
    let mut work = begin(store, &company).await;
    for key in &keys {
        work.api_keys().insert(key).await.unwrap();
        assert_eq!(
            work.api_keys().get(key.id).await.unwrap().as_ref(),
            Some(key)
        );
    }
    assert_eq!(all_pages!(1, |page| work.api_keys().list(page)), keys);
}

/// A key is found by its hash before the company is known, also when it is revoked.
pub async fn an_api_key_is_found_by_its_hash(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let key = ApiKey {
        revoked_at: Some(samples::now()),
        ..samples::api_key(&company)
    };
    let mut work = begin(store, &company).await;
    work.api_keys().insert(&key).await.unwrap();
    commit(work).await;
    let mut work = begin_as(store, Scope::Platform).await;
    assert_eq!(
        work.api_keys().find_by_hash(&key.hash).await.unwrap(),
        Some(key)
    );
    let unknown = ApiKeyHash::of("nobody's secret");
    assert_eq!(work.api_keys().find_by_hash(&unknown).await.unwrap(), None);
}

/// A secret belongs to one key.
pub async fn two_api_keys_cannot_have_one_hash(store: &dyn StorageUnderTest) {
    let (company, other) = (stored_company(store).await, stored_company(store).await);
    let key = samples::api_key(&company);
    let mut work = begin(store, &company).await;
    work.api_keys().insert(&key).await.unwrap();
    commit(work).await;
    let mut work = begin(store, &other).await;
    let copy = ApiKey {
        hash: key.hash,
        ..samples::api_key(&other)
    };
    assert_conflict(work.api_keys().insert(&copy).await);
}

/// The last writer of a key wins, but a revocation stays.
pub async fn a_revocation_is_never_undone(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let key = samples::api_key(&company);
    let revoked = ApiKey {
        revoked_at: Some(samples::now()),
        ..key.clone()
    };
    let used = ApiKey {
        name: "Renamed".to_owned(),
        role: Role::Viewer,
        last_used_at: Some(samples::now()),
        ..key.clone()
    };
    let mut work = begin(store, &company).await;
    work.api_keys().insert(&key).await.unwrap();
    work.api_keys().update(&revoked).await.unwrap();
    work.api_keys().update(&used).await.unwrap();
    let stored = work.api_keys().get(key.id).await.unwrap();
    assert_eq!(
        stored,
        Some(ApiKey {
            revoked_at: revoked.revoked_at,
            ..used
        })
    );
}
