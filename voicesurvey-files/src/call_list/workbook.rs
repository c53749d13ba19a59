//! What workbooks of either format have in common: sheets, of which one is read.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::found::OtherSheet;
use super::source::RecordSource;
use super::{CallListError, Format};

/// A workbook of which the sheet that is read has been chosen.
pub(super) struct Workbook {
    pub(super) format: Format,
    pub(super) sheet: String,
    pub(super) other_sheets: Vec<OtherSheet>,
    pub(super) rows: Box<dyn RecordSource>,
}

/// A sheet as the workbook lists it.
#[derive(Clone, Debug)]
pub(super) struct Sheet<P> {
    pub(super) name: String,
    pub(super) is_visible: bool,
    /// Where it is.
    pub(super) place: P,
}

/// The first visible sheet that has data, and the others.
pub(super) fn choose<P: Clone>(
    sheets: Vec<Sheet<P>>,
    mut has_data: impl FnMut(&P) -> Result<bool, CallListError>,
) -> Result<(Sheet<P>, Vec<OtherSheet>), CallListError> {
    let mut chosen = None;
    let mut others = Vec::new();
    for sheet in sheets {
        let reason = if !sheet.is_visible {
            "hidden"
        } else if chosen.is_some() {
            "further"
        } else if has_data(&sheet.place)? {
            chosen = Some(sheet);
            continue;
        } else {
            "empty"
        };
        others.push(OtherSheet {
            name: sheet.name,
            reason,
        });
    }
    match chosen {
        Some(sheet) => Ok((sheet, others)),
        None if others.iter().any(|sheet| sheet.reason == "hidden") => {
            Err(CallListError::OnlyHiddenSheets)
        }
        None => Err(CallListError::Empty),
    }
}

/// Takes a panic of a library that meets a file nobody has thought of for what it is: a damaged
/// file.
pub(super) fn guarded<T>(
    open: impl FnOnce() -> Result<T, CallListError>,
) -> Result<T, CallListError> {
    catch_unwind(AssertUnwindSafe(open)).unwrap_or(Err(CallListError::Damaged))
}
