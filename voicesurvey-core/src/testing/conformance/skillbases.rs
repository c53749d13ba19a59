//! Skillbases.

use std::time::Duration;

use chrono::TimeDelta;

use super::StorageUnderTest;
use super::support::{all_pages, assert_conflict, begin, commit, store_campaign, stored_company};
use crate::company::Company;
use crate::language::Language;
use crate::skillbase::{Persona, Skillbase};
use crate::testing::samples;

/// A skillbase that is nobody's default.
fn further(company: &Company) -> Skillbase {
    Skillbase {
        id: samples::id(),
        is_default: false,
        ..samples::skillbase(company)
    }
}

/// A skillbase reads back as it was stored, with and without what is optional.
pub async fn a_skillbase_reads_back_as_it_was_stored(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let rich = Skillbase {
        name: "Größe «Ё»".to_owned(),
        language: Language::De,
        voice: Some("Polly.Vicki-Neural".to_owned()),
        persona: Persona {
            role: "Assistentin".to_owned(),
            style: "freundlich, kurze Sätze".to_owned(),
            rules: vec!["Nie \"drängen\"".to_owned(), String::new()],
            facts: vec!["Geöffnet 9–17 Uhr".to_owned()],
        },
        longest_call: Duration::from_secs(4_321),
        closing: Some("Auf Wiederhören".to_owned()),
        updated_at: samples::now() + TimeDelta::microseconds(1),
        ..further(&company)
    };
    let mut work = begin(store, &company).await;
    work.skillbases().insert(&rich).await.unwrap();
    let plain = samples::skillbase(&company);
    for skillbase in [plain, rich] {
        let stored = work.skillbases().get(skillbase.id).await.unwrap();
        assert_eq!(stored, Some(skillbase));
    }
}

/// Of two who edit a skillbase at the same time, the second is refused.
pub async fn a_stale_skillbase_is_a_conflict(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let skillbase = samples::skillbase(&company);
    let edited = Skillbase {
        voice: Some("Bianca".to_owned()),
        ..skillbase.clone()
    };
    let mut work = begin(store, &company).await;
    work.skillbases().update(&edited).await.unwrap();
    let stored = work.skillbases().get(skillbase.id).await.unwrap();
    assert_eq!(
        stored,
        Some(Skillbase {
            version: 2,
            ..edited
        })
    );
    assert_conflict(work.skillbases().update(&skillbase).await);
}

/// An identifier names one skillbase.
pub async fn a_skillbase_cannot_be_added_twice(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let copy = Skillbase {
        is_default: false,
        ..samples::skillbase(&company)
    };
    let mut work = begin(store, &company).await;
    assert_conflict(work.skillbases().insert(&copy).await);
}

/// A company has one default per language; other companies and languages have their own.
pub async fn a_language_has_one_default_skillbase(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    stored_company(store).await;
    let english = Skillbase {
        language: Language::En,
        is_default: true,
        ..further(&company)
    };
    let mut work = begin(store, &company).await;
    work.skillbases().insert(&english).await.unwrap();
    commit(work).await;

    let mut work = begin(store, &company).await;
    let italian = samples::skillbase(&company);
    let default = work.skillbases().default_for(Language::It).await.unwrap();
    assert_eq!(default, Some(italian));
    assert_eq!(
        work.skillbases().default_for(Language::En).await.unwrap(),
        Some(english)
    );
    assert_eq!(
        work.skillbases().default_for(Language::Fr).await.unwrap(),
        None
    );
    let second = Skillbase {
        is_default: true,
        ..further(&company)
    };
    assert_conflict(work.skillbases().insert(&second).await);
}

/// A skillbase cannot become a second default by an edit either.
pub async fn an_edit_cannot_make_a_second_default(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let skillbase = further(&company);
    let mut work = begin(store, &company).await;
    work.skillbases().insert(&skillbase).await.unwrap();
    commit(work).await;
    let mut work = begin(store, &company).await;
    let second = Skillbase {
        is_default: true,
        ..skillbase
    };
    assert_conflict(work.skillbases().update(&second).await);
}

/// A skillbase that no campaign names can be removed, once.
pub async fn a_skillbase_is_removed_once(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let id = samples::skillbase(&company).id;
    let mut work = begin(store, &company).await;
    assert!(work.skillbases().delete(id).await.unwrap());
    assert!(!work.skillbases().delete(id).await.unwrap());
    assert_eq!(work.skillbases().get(id).await.unwrap(), None);
}

/// A skillbase that a campaign names stays.
pub async fn a_skillbase_in_use_cannot_be_removed(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = store_campaign(store, samples::campaign(&company)).await;
    let mut work = begin(store, &company).await;
    assert_conflict(
        work.skillbases()
            .delete(campaign.settings.skillbase_id)
            .await,
    );
}

/// Skillbases are listed in the order of their creation.
pub async fn skillbases_are_listed_in_the_order_of_their_creation(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let mut expected = vec![samples::skillbase(&company)];
    expected.extend((0..4).map(|_| further(&company)));
    let mut work = begin(store, &company).await;
    for skillbase in &expected[1..] {
        work.skillbases().insert(skillbase).await.unwrap();
    }
    let listed = all_pages!(2, |page| work.skillbases().list(page));
    assert_eq!(listed, expected);
}
