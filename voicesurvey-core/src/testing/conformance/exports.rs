//! Exports: who asked for which files, and their contents.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::StorageUnderTest;
use super::support::{
    all_pages, assert_conflict, begin, begin_as, commit, running_campaign, store_campaign,
    store_tasks, stored_company,
};
use crate::api_key::ApiKeyHash;
use crate::campaign::Campaign;
use crate::contact_record::ContactFilter;
use crate::export::{
    Delimiter, Export, ExportFormat, ExportKind, ExportOrder, ExportState, Written,
};
use crate::language::Language;
use crate::outcome::Outcome;
use crate::ports::Scope;
use crate::rates::Thresholds;
use crate::testing::samples;
use crate::time::Timestamp;

/// The instant that many seconds later.
pub(super) fn later(seconds: i64) -> Timestamp {
    samples::now() + TimeDelta::seconds(seconds)
}

/// An export that waits, asked for that many seconds later.
pub(super) fn waiting(campaign: &Campaign, seconds: i64) -> Export {
    Export {
        id: samples::id(),
        company_id: campaign.company_id,
        campaign_id: campaign.id,
        order: ExportOrder {
            kind: ExportKind::Results,
            format: ExportFormat::Csv,
            delimiter: Delimiter::Comma,
            filter: ContactFilter::default(),
            thresholds: Thresholds::default(),
        },
        requested_by: samples::id(),
        link: Some(ApiKeyHash::of("a secret")),
        state: ExportState::Waiting,
        run: 0,
        excused: 0,
        lease_until: None,
        written: Written::default(),
        pieces: 0,
        failure: None,
        created_at: later(seconds),
        ended_at: None,
        expires_at: None,
        fetches: 0,
        last_fetched_at: None,
    }
}

pub(super) async fn insert(store: &dyn StorageUnderTest, exports: &[Export]) {
    let mut work = begin_as(store, Scope::Platform).await;
    for export in exports {
        work.exports().insert(export).await.unwrap();
    }
    commit(work).await;
}

pub(super) async fn stored(store: &dyn StorageUnderTest, export: &Export) -> Option<Export> {
    let mut work = begin_as(store, Scope::Platform).await;
    work.exports().get(export.id).await.unwrap()
}

async fn claim(store: &dyn StorageUnderTest, now: Timestamp) -> Option<Export> {
    let mut work = begin_as(store, Scope::Platform).await;
    let lease_until = now + TimeDelta::seconds(60);
    let claimed = work.exports().claim(now, lease_until).await.unwrap();
    commit(work).await;
    claimed
}

/// Adds a piece, and returns the export as it stands then.
async fn added(store: &dyn StorageUnderTest, export: Export, content: &[u8]) -> Export {
    let mut work = begin_as(store, Scope::Company(export.company_id)).await;
    work.exports().add_piece(&export, content).await.unwrap();
    let export = Export {
        pieces: export.pieces + 1,
        written: Written {
            people: 2,
            rows: 3,
            bytes: export.written.bytes + content.len() as u64,
        },
        ..export
    };
    work.exports().update(&export).await.unwrap();
    commit(work).await;
    export
}

/// Exports read back, in every kind, format and state, with every filter.
pub async fn an_export_reads_back_as_it_was_stored(store: &dyn StorageUnderTest) {
    let (_, campaign) = running_campaign(store).await;
    let filter = ContactFilter {
        columns: BTreeMap::from([("città".to_owned(), "«Forlì»".to_owned())]),
        from: Some(later(0)),
        to: Some(later(9)),
        language: Some(Language::De),
        outcome: Some(Outcome::Completed),
        status: Some(crate::call_task::TaskStatus::Completed),
        cells: ["north, 18-34", "«isole»"].map(ToOwned::to_owned).into(),
        ..ContactFilter::default()
    };
    let first = waiting(&campaign, 0);
    let mut exports = vec![
        Export {
            order: ExportOrder {
                filter,
                ..first.order.clone()
            },
            ..first.clone()
        },
        first.clone().begun(later(60)),
        first.clone().failed("the «disk» is full", later(4)),
        first.clone().finished(later(4), Some(later(90))),
        Export {
            state: ExportState::Streamed,
            link: None,
            ..first.clone()
        },
    ];
    for &kind in ExportKind::ALL {
        for &format in ExportFormat::ALL {
            let mut export = first.clone();
            (export.order.kind, export.order.format) = (kind, format);
            exports.push(export);
        }
    }
    for &delimiter in Delimiter::ALL {
        let mut export = first.clone();
        export.order.delimiter = delimiter;
        exports.push(export);
    }
    let mut export = first.clone();
    let shares = ["0.5", "0.800001"].map(|share| share.parse().ok());
    export.order.thresholds = Thresholds::new(shares[0], shares[1]).expect("these are shares");
    exports.push(export);
    exports.push(Export {
        fetches: 2,
        last_fetched_at: Some(later(5)),
        ..first.clone().finished(later(4), Some(later(90)))
    });
    for export in &mut exports {
        export.id = samples::id();
    }
    insert(store, &exports).await;
    for export in exports {
        assert_eq!(stored(store, &export).await, Some(export));
    }
}

/// The exports of a campaign are listed newest first, and no others.
pub async fn exports_are_listed_newest_first(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let other = store_campaign(store, samples::campaign(&company)).await;
    let exports = [0, 1, 2].map(|seconds| waiting(&campaign, seconds));
    insert(store, &exports).await;
    insert(store, &[waiting(&other, 5)]).await;
    let mut work = begin(store, &company).await;
    let listed = all_pages!(2, |page| work.exports().list(campaign.id, page));
    let newest_first: Vec<Export> = exports.into_iter().rev().collect();
    assert_eq!(listed, newest_first);
}

/// The oldest that waits is begun by one caller only, and again when its lease has run out; then
/// nothing of the first run is left, and whoever wrote it writes no more.
pub async fn an_export_is_begun_again_when_its_lease_has_run_out(store: &dyn StorageUnderTest) {
    let (_, campaign) = running_campaign(store).await;
    let [first, second] = [0, 1].map(|seconds| waiting(&campaign, seconds));
    insert(store, &[second.clone(), first.clone()]).await;
    let now = later(10);
    let claimed = claim(store, now).await.unwrap();
    assert_eq!(claimed, first.begun(later(70)));
    assert_eq!(claim(store, now).await.unwrap().id, second.id);
    assert_eq!(claim(store, now).await, None);
    let claimed = added(store, claimed, b"half").await;

    assert_eq!(claim(store, later(69)).await, None);
    let again = claim(store, later(70)).await.unwrap();
    assert_eq!(again, claimed.clone().begun(later(130)));
    assert_eq!((again.run, again.pieces), (2, 0));
    assert_eq!(stored(store, &again).await, Some(again.clone()));
    let mut work = begin_as(store, Scope::Platform).await;
    assert_eq!(work.exports().piece(again.id, 0).await.unwrap(), None);
    assert_conflict(work.exports().update(&claimed).await);
    drop(work);
    added(store, again, b"whole").await;
}

/// However many files one company has asked for, those of another come between them.
pub async fn companies_take_turns_with_their_exports(store: &dyn StorageUnderTest) {
    let (_, of_many) = running_campaign(store).await;
    let (_, of_one) = running_campaign(store).await;
    let many = [0, 1, 2, 3].map(|seconds| waiting(&of_many, seconds));
    let one = waiting(&of_one, 4);
    insert(store, &many).await;
    insert(store, std::slice::from_ref(&one)).await;
    // One server, which finishes each before it begins the next.
    let first = claim(store, later(10)).await.unwrap();
    assert_eq!(first.id, many[0].id);
    let mut work = begin_as(store, Scope::Platform).await;
    let done = first.finished(later(11), Some(later(900)));
    work.exports().update(&done).await.unwrap();
    commit(work).await;
    assert_eq!(claim(store, later(12)).await.unwrap().id, one.id);
    // Several: while one of a company's files is written, the other company is not behind it.
    assert_eq!(claim(store, later(13)).await.unwrap().id, many[1].id);
    let another = waiting(&of_one, 14);
    insert(store, std::slice::from_ref(&another)).await;
    let mut work = begin_as(store, Scope::Platform).await;
    let failed = one.begun(later(72)).failed("why", later(15));
    work.exports().update(&failed).await.unwrap();
    commit(work).await;
    assert_eq!(claim(store, later(16)).await.unwrap().id, another.id);
    assert_eq!(claim(store, later(17)).await.unwrap().id, many[2].id);
}

/// Files that wait or are being written are counted, by campaign.
pub async fn exports_that_are_open_are_counted(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let other = store_campaign(store, samples::campaign(&company)).await;
    let streamed = Export {
        state: ExportState::Streamed,
        link: None,
        ..waiting(&campaign, 2)
    };
    let done = waiting(&campaign, 3).finished(later(4), Some(later(5)));
    let open = [0, 1].map(|seconds| waiting(&campaign, seconds));
    insert(store, &open).await;
    insert(store, &[streamed, done, waiting(&other, 6)]).await;
    claim(store, later(10)).await.unwrap();
    let mut work = begin(store, &company).await;
    assert_eq!(work.exports().count_open(campaign.id).await.unwrap(), 2);
    assert_eq!(work.exports().count_open(other.id).await.unwrap(), 1);
    drop(work);
    let stranger = stored_company(store).await;
    let mut work = begin(store, &stranger).await;
    assert_eq!(work.exports().count_open(campaign.id).await.unwrap(), 0);
}

/// It is known when the contents were fetched last, and how often; others count nothing.
pub async fn fetches_of_an_export_are_counted(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let done = waiting(&campaign, 0).finished(later(1), Some(later(100)));
    insert(store, std::slice::from_ref(&done)).await;
    for seconds in [7, 9] {
        let mut work = begin(store, &company).await;
        let noted = work.exports().note_fetch(done.id, later(seconds)).await;
        noted.unwrap();
        commit(work).await;
    }
    let stranger = stored_company(store).await;
    let mut work = begin(store, &stranger).await;
    work.exports().note_fetch(done.id, later(10)).await.unwrap();
    commit(work).await;
    let fetched = Export {
        fetches: 2,
        last_fetched_at: Some(later(9)),
        ..done
    };
    assert_eq!(stored(store, &fetched).await, Some(fetched));
}

/// The contents read back piece by piece, until the export expires.
pub async fn contents_are_kept_until_they_expire(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    insert(store, &[filtered(waiting(&campaign, 0))]).await;
    let export = claim(store, later(0)).await.unwrap();
    let large = vec![7; 300_000];
    let pieces: [&[u8]; 2] = [b"\0\xff one", &large];
    let export = added(store, export, pieces[0]).await;
    let export = added(store, export, pieces[1]).await;
    let done = export.finished(later(1), Some(later(100)));
    let mut work = begin(store, &company).await;
    work.exports().update(&done).await.unwrap();
    commit(work).await;
    assert_eq!(stored(store, &done).await, Some(done.clone()));

    let mut work = begin(store, &company).await;
    for (number, piece) in (0..).zip(pieces) {
        let found = work.exports().piece(done.id, number).await.unwrap();
        assert_eq!(found.as_deref(), Some(piece));
    }
    assert_eq!(work.exports().piece(done.id, 2).await.unwrap(), None);
    drop(work);

    let mut work = begin_as(store, Scope::Platform).await;
    assert!(!work.exports().expire_one(later(99)).await.unwrap());
    assert!(work.exports().expire_one(later(100)).await.unwrap());
    assert!(!work.exports().expire_one(later(100)).await.unwrap());
    assert_eq!(work.exports().piece(done.id, 0).await.unwrap(), None);
    commit(work).await;
    let expired = done.expired();
    assert_eq!(expired.order.filter.columns["email"], "");
    assert_eq!(stored(store, &expired).await, Some(expired));
}

/// When somebody is forgotten, files of their campaigns that were finished expire at once, and those
/// that are being written are begun anew, however often; what waits is left alone.
pub async fn files_that_may_hold_somebody_are_withdrawn(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let other = store_campaign(store, samples::campaign(&company)).await;
    let codebook = filtered(Export {
        order: ExportOrder {
            kind: ExportKind::Codebook,
            ..waiting(&campaign, 0).order
        },
        ..waiting(&campaign, 0)
    });
    let codebook = codebook.finished(later(1), Some(later(90)));
    let sent = Export {
        state: ExportState::Streamed,
        link: None,
        ended_at: Some(later(1)),
        ..filtered(waiting(&campaign, 0))
    };
    let done = filtered(waiting(&campaign, 0)).finished(later(1), Some(later(90)));
    let elsewhere = filtered(waiting(&other, 0)).finished(later(1), Some(later(90)));
    let ended = [codebook, sent, done, elsewhere];
    let running = filtered(waiting(&campaign, 1));
    let queued = filtered(waiting(&campaign, 2));
    insert(store, &ended).await;
    insert(store, &[running.clone(), queued.clone()]).await;
    let running = claim(store, later(3)).await.unwrap();
    let running = added(store, running, b"half").await;

    let mut work = begin(store, &company).await;
    let exports = work.exports();
    exports.add_piece(&ended[2], b"somebody").await.unwrap();
    exports
        .add_piece(&ended[3], b"somebody else")
        .await
        .unwrap();
    assert_eq!(exports.withdraw(&[campaign.id]).await.unwrap(), 2);
    assert_eq!(exports.withdraw(&[campaign.id]).await.unwrap(), 0);
    assert_eq!(exports.withdraw(&[]).await.unwrap(), 0);
    for id in [ended[2].id, running.id] {
        assert_eq!(exports.piece(id, 0).await.unwrap(), None);
    }
    let kept = exports.piece(ended[3].id, 0).await.unwrap();
    assert_eq!(kept.as_deref(), Some(&b"somebody else"[..]));
    commit(work).await;
    let [codebook, sent, done, elsewhere] = ended;
    let value = |export: &Export| export.order.filter.columns["email"].clone();
    for (before, state, value_after) in [
        (codebook, ExportState::Done, "ada@example.org"),
        (sent, ExportState::Streamed, ""),
        (done, ExportState::Expired, ""),
        (elsewhere, ExportState::Done, "ada@example.org"),
        (running.clone(), ExportState::Waiting, "ada@example.org"),
        (queued, ExportState::Waiting, "ada@example.org"),
    ] {
        let after = stored(store, &before).await.unwrap();
        assert_eq!((after.state, value(&after).as_str()), (state, value_after));
    }
    let mut work = begin(store, &company).await;
    assert_conflict(work.exports().update(&running).await);
    drop(work);
    for _ in 0..=Export::RUNS {
        let again = claim(store, later(3)).await.unwrap();
        assert_eq!((again.id, again.pieces), (running.id, 0));
        assert!(!again.was_begun_too_often());
        let mut work = begin(store, &company).await;
        let withdrawn = work.exports().withdraw(&[campaign.id]).await.unwrap();
        assert_eq!(withdrawn, 1);
        commit(work).await;
    }
}

/// The export with a filter that names somebody.
fn filtered(mut export: Export) -> Export {
    export.id = samples::id();
    let value = ("email".to_owned(), "ada@example.org".to_owned());
    export.order.filter.columns = BTreeMap::from([value]);
    export
}

/// What has ended stays as it is, and is not begun again.
pub async fn an_export_that_has_ended_is_not_changed(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let streamed = Export {
        state: ExportState::Streamed,
        link: None,
        ..waiting(&campaign, 0)
    };
    let done = waiting(&campaign, 1).finished(later(2), Some(later(3)));
    let failed = waiting(&campaign, 2).failed("why", later(2));
    insert(store, &[streamed.clone(), done.clone(), failed.clone()]).await;
    let mut work = begin(store, &company).await;
    let sent = streamed.finished(later(4), None);
    work.exports().update(&sent).await.unwrap();
    for ended in [sent, done, failed] {
        assert_conflict(work.exports().update(&ended).await);
    }
    commit(work).await;
    assert_eq!(claim(store, later(9)).await, None);
}

/// The contents can be removed, and go with the campaign.
pub async fn a_removed_campaign_takes_its_exports_with_it(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = store_campaign(store, samples::campaign(&company)).await;
    insert(store, &[waiting(&campaign, 0)]).await;
    let export = claim(store, later(0)).await.unwrap();
    let export = added(store, export, b"gone").await;
    let mut work = begin(store, &company).await;
    work.exports().remove_pieces(export.id).await.unwrap();
    assert_eq!(work.exports().piece(export.id, 0).await.unwrap(), None);
    drop(work);
    let mut work = begin(store, &company).await;
    work.campaigns().delete(campaign.id).await.unwrap();
    commit(work).await;
    assert_eq!(stored(store, &export).await, None);
}

/// The exports of others do not exist, and are not written.
pub async fn exports_of_others_do_not_exist(store: &dyn StorageUnderTest) {
    let (_, campaign) = running_campaign(store).await;
    let stranger = stored_company(store).await;
    insert(store, &[waiting(&campaign, 0)]).await;
    let export = claim(store, later(0)).await.unwrap();
    let export = added(store, export, b"secret").await;
    let mut work = begin(store, &stranger).await;
    assert_eq!(work.exports().get(export.id).await.unwrap(), None);
    assert_eq!(work.exports().piece(export.id, 0).await.unwrap(), None);
    let listed = all_pages!(2, |page| work.exports().list(campaign.id, page));
    assert_eq!(listed, []);
    work.exports().remove_pieces(export.id).await.unwrap();
    assert_conflict(work.exports().update(&export).await);
    commit(work).await;
    let mut work = begin(store, &stranger).await;
    assert_conflict(work.exports().insert(&waiting(&campaign, 1)).await);
    drop(work);
    let mut work = begin(store, &stranger).await;
    assert_conflict(work.exports().add_piece(&export, b"mine").await);
    drop(work);
    let mut work = begin_as(store, Scope::Platform).await;
    let piece = work.exports().piece(export.id, 0).await.unwrap();
    assert_eq!(piece.as_deref(), Some(&b"secret"[..]));
}

/// The columns that any of a campaign's people has are told, each once, and no others.
pub async fn the_columns_of_all_lists_are_told(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let other = store_campaign(store, samples::campaign(&company)).await;
    let mut tasks = samples::tasks(&campaign, 1, 3);
    tasks.extend(samples::tasks(&other, 1, 1));
    let columns = [["à", "b"], ["b", "Z 1"], ["b", "à"], ["else", "b"]];
    for (task, columns) in tasks.iter_mut().zip(columns) {
        let columns = columns.map(|column| (column.to_owned(), String::new()));
        task.contact.extra = BTreeMap::from(columns);
    }
    let (of_other, of_campaign) = tasks.split_last().unwrap();
    store_tasks(store, of_campaign).await;
    store_tasks(store, std::slice::from_ref(of_other)).await;
    let mut work = begin(store, &company).await;
    let told = work.contact_records().columns(&campaign).await.unwrap();
    assert_eq!(told, ["Z 1", "b", "à"]);
    drop(work);
    let stranger = stored_company(store).await;
    let mut work = begin(store, &stranger).await;
    let told = work.contact_records().columns(&campaign).await.unwrap();
    assert_eq!(told, Vec::<String>::new());
}
