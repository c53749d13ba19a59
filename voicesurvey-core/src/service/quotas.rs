//! What tasks that move mean for the cells of quotas: who is in them, and whether anybody in them may
//! be called.

use crate::call_task::CallTask;
use crate::campaign::Campaign;
use crate::conversation::Answer;
use crate::ports::repositories::CallTaskFilter;
use crate::ports::{PageRequest, StorageError, UnitOfWork};
use crate::quota::{CellNews, Cells, Quotas, Room};
use crate::time::Timestamp;

/// Whether somebody in these cells may be called.
pub(super) async fn room_in(
    work: &mut dyn UnitOfWork,
    campaign: &Campaign,
    cells: &Cells,
) -> Result<Room, StorageError> {
    if cells.is_empty() || !campaign.has_quotas() {
        return Ok(Room::Open);
    }
    let campaigns = work.campaigns();
    let counters = campaigns.counters_of_places(campaign.id, cells).await?;
    let places = campaign.places(&counters);
    Ok(places.map_or(Room::Open, |places| places.room(cells)))
}

/// The cells into which nobody is let any more whom an answer puts there while `task` is in
/// progress. The place that its own call holds is not held against it.
pub(super) async fn closed_to(
    work: &mut dyn UnitOfWork,
    campaign: &Campaign,
    task: &CallTask,
) -> Result<Cells, StorageError> {
    let quotas = campaign.effective_settings().quotas.as_ref();
    let cells = quotas.map_or_else(Cells::default, Quotas::cells_of_answers);
    if cells.is_empty() {
        return Ok(cells);
    }
    let campaigns = work.campaigns();
    let counters = campaigns.counters_of_places(campaign.id, &cells).await?;
    let Some(mut places) = campaign.places(&counters) else {
        return Ok(Cells::default());
    };
    if task.state.attempt_id().is_some() {
        places.give_back(&task.cells);
    }
    Ok(places.without_room(&cells))
}

/// Puts the person who gave that answer, or of whom it was corrected, into the cells that it says
/// together with what is stored of them; what was forgotten of them changes nothing. A call in progress
/// holds its places from then on.
pub(super) async fn place_by_answer(
    work: &mut dyn UnitOfWork,
    campaign: &Campaign,
    answer: &Answer,
    now: Timestamp,
) -> Result<(), StorageError> {
    let quotas = campaign.effective_settings().quotas.as_ref();
    let Some(quotas) = quotas.filter(|quotas| quotas.depend_on(&answer.question_key)) else {
        return Ok(());
    };
    let Some(task) = work.call_tasks().get_for_update(answer.task_id).await? else {
        return Ok(());
    };
    let answers = work.interviews().answers(task.id).await?;
    let value = |key: &str| {
        let answer = answers.iter().find(|answer| answer.question_key == key)?;
        answer.result.value()
    };
    let cells = quotas.cells_after(&answer.question_key, &task.contact, value, &task.cells);
    if cells == task.cells {
        return Ok(());
    }
    let touched = cells.or(&task.cells);
    let task = CallTask {
        cells,
        updated_at: now,
        ..task
    };
    work.call_tasks().update(&task).await?;
    note_places(work, campaign, &touched, now).await
}

/// Has the lanes of these cells reviewed, whose tasks were changed: those in which no place is left
/// close at once, and those of a place that was given back open again.
pub(super) async fn note_places(
    work: &mut dyn UnitOfWork,
    campaign: &Campaign,
    touched: &Cells,
    now: Timestamp,
) -> Result<(), StorageError> {
    if touched.is_empty() || !campaign.has_quotas() {
        return Ok(());
    }
    let campaigns = work.campaigns();
    let counters = campaigns.counters_of_places(campaign.id, touched).await?;
    let Some(places) = campaign.places(&counters) else {
        return Ok(());
    };
    let closed = places.without_room(touched);
    let open = touched.without(&closed);
    for (cells, is_open) in [(&open, true), (&closed, false)] {
        if !cells.is_empty() {
            let news = CellNews {
                cells,
                is_open,
                now,
            };
            work.campaigns().review_cells(campaign.id, news).await?;
        }
    }
    Ok(())
}

/// Puts every task of a campaign whose quotas were changed before it started into the cells that it is
/// in now.
pub(super) async fn place_all(
    work: &mut dyn UnitOfWork,
    campaign: &Campaign,
    now: Timestamp,
) -> Result<(), StorageError> {
    let filter = CallTaskFilter {
        campaign_id: Some(campaign.id),
        ..CallTaskFilter::default()
    };
    let mut page = PageRequest::first(PageRequest::LARGEST);
    loop {
        let found = work.call_tasks().list(&filter, &page).await?;
        let placed = found.rows.into_iter().filter_map(|task| {
            let cells = campaign.cells_of(&task.contact);
            let moves = cells != task.cells;
            moves.then_some(CallTask {
                cells,
                updated_at: now,
                ..task
            })
        });
        let placed: Vec<CallTask> = placed.collect();
        work.call_tasks().update_many(&placed).await?;
        match found.next {
            Some(next) => page = PageRequest::after(next, PageRequest::LARGEST),
            None => return Ok(()),
        }
    }
}
