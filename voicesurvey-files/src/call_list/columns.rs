//! Works out what each column of a list holds, and makes rows of a list of the rows of the file.

use voicesurvey_core::blank::{is_blank, trimmed};
use voicesurvey_core::call_list::{CallListRow, Contact, PhoneCell, yes_no};

use super::found::{self, FoundColumn};
use super::heading::{self, Meaning};
use super::layout;
use super::roles::Roles;
use super::source::Record;
use super::{CallListError, FoundBy, ReadSettings, Role};
use crate::cell;
use crate::column_names::ColumnNames;

/// Which column holds what.
#[derive(Debug)]
pub(super) struct Columns {
    /// The columns with phone numbers: the first that has one in a row is dialed.
    phones: Vec<usize>,
    /// Whether zeros at the beginning of phone numbers are lost, as far as the text of a file tells.
    are_numeric: bool,
    roles: Roles,
    /// The columns that say who must not be called, where no mapping says which: a yes in any of them
    /// counts.
    do_not_call: Vec<usize>,
    /// Every other column, with its name.
    extra: Vec<Extra>,
    /// The columns that our error file adds.
    own: Vec<usize>,
    /// Every name, made distinct, without those of `own`.
    names: Vec<String>,
    found: Vec<FoundColumn>,
}

/// A column that is kept as it is.
#[derive(Debug)]
struct Extra {
    column: usize,
    name: String,
    /// Whether it has neither a heading nor, so far, anything in it. Spreadsheets write empty
    /// columns to the right of a list.
    is_unused: bool,
}

impl Columns {
    /// The columns of a list with these headings.
    pub(super) fn of_header(
        header: &[String],
        body: &[Record],
        settings: &ReadSettings,
    ) -> Result<Self, CallListError> {
        let mut roles = Roles::of_mapping(header, layout::width(body), settings)?;
        roles.add_headings(header);
        let phones = if let Some(mapped) = roles.column(Role::PhoneNumber) {
            vec![mapped]
        } else {
            let (phones, found_by) = phone_columns(header, body, settings)?;
            roles.set(Role::PhoneNumber, phones[0], found_by);
            phones
        };
        let do_not_call = roles.all_of_do_not_call(header);
        let is_own =
            |column: &usize| heading::meaning(&header[*column]) == Some(Meaning::ErrorFile);
        let own = (0..header.len()).filter(is_own).collect();
        let columns = Self::new(header, body, phones, roles, own, settings);
        Ok(columns.with_do_not_call(do_not_call))
    }

    /// The columns of a list without header, whose phone column was found otherwise.
    pub(super) fn without_header(
        phone: usize,
        found_by: FoundBy,
        body: &[Record],
        settings: &ReadSettings,
    ) -> Result<Self, CallListError> {
        let width = layout::width(body);
        let mut header = vec![String::new(); width];
        let mut roles = Roles::of_mapping(&header, width, settings)?;
        roles.set(Role::PhoneNumber, phone, found_by);
        roles.add_cells(body, width);
        for (role, column) in roles.all() {
            role.name().clone_into(&mut header[column]);
        }
        Ok(Self::new(
            &header,
            body,
            vec![phone],
            roles,
            Vec::new(),
            settings,
        ))
    }

    fn new(
        header: &[String],
        body: &[Record],
        phones: Vec<usize>,
        roles: Roles,
        own: Vec<usize>,
        settings: &ReadSettings,
    ) -> Self {
        let mut taken = ColumnNames::default();
        let mut names = Vec::new();
        let mut extra = Vec::new();
        let mut found = Vec::new();
        for (column, heading) in header
            .iter()
            .enumerate()
            .filter(|(column, _)| !own.contains(column))
        {
            let name = taken.take(cell::meant(heading), column + 1);
            let role = roles.of_column(column);
            let is_empty = || body.iter().all(|record| record.cell(column).is_empty());
            let is_unused = is_blank(heading) && is_empty();
            if role.is_none_or(|(role, _)| roles.is_kept_too(role)) {
                extra.push(Extra {
                    column,
                    name: unreserved(&name, header),
                    is_unused,
                });
            }
            if !is_unused {
                found.push(FoundColumn {
                    letter: found::letter(column),
                    name: name.clone(),
                    role: role.map(|(role, _)| role),
                    found_by: role.map(|(_, found_by)| found_by),
                });
            }
            names.push(name);
        }
        Self {
            are_numeric: !settings.has_texts && lose_zeros(phones[0], body, settings),
            phones,
            do_not_call: roles.column(Role::DoNotCall).into_iter().collect(),
            roles,
            extra,
            own,
            names,
            found,
        }
    }

    /// The same, with further columns that say who must not be called. They are kept as they are,
    /// too.
    fn with_do_not_call(mut self, columns: Vec<usize>) -> Self {
        for further in columns.iter().skip(1) {
            let letter = found::letter(*further);
            let found = self.found.iter_mut().find(|found| found.letter == letter);
            if let Some(found) = found {
                found.role = Some(Role::DoNotCall);
                found.found_by = Some(FoundBy::Heading);
            }
        }
        Self {
            do_not_call: columns,
            ..self
        }
    }

    /// How many columns the file has.
    pub(super) fn width(&self) -> usize {
        self.names.len() + self.own.len()
    }

    /// The name of every column, made distinct.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The column that is dialed first.
    pub(super) fn phone(&self) -> usize {
        self.phones[0]
    }

    /// What was found out about each column.
    pub(super) fn found(&self) -> &[FoundColumn] {
        &self.found
    }

    /// Whether the row shows that the phone column holds texts, though its first rows seemed to have
    /// been numbers.
    pub(super) fn is_of_texts(&self, record: &Record) -> bool {
        let cell = record.cell(self.phones[0]);
        self.are_numeric && !cell.is_empty() && digits(cell).is_none()
    }

    /// Whether nobody is in the row: it has at most what our error file has added.
    pub(super) fn is_blank(&self, record: &Record) -> bool {
        let columns = 0..record.cells.len();
        columns
            .filter(|column| !self.own.contains(column))
            .all(|column| record.cell(column).is_empty())
    }

    /// The row of the list that is made of a row of the file.
    pub(super) fn row(&self, record: Record) -> CallListRow {
        let cell = |role| {
            let column = self.roles.column(role);
            column
                .map(|column| record.cell(column).to_owned())
                .unwrap_or_default()
        };
        let phone = self.phone_of(&record);
        let extra = self
            .extra
            .iter()
            .map(|extra| (extra, record.cell(extra.column)));
        CallListRow {
            row: record.row,
            phone_number: record.cell(phone).to_owned(),
            phone_number_is_numeric: record.is_number(phone) || self.are_numeric,
            phone_place: Some(self.place(phone)),
            other_phones: self.other_phones(&record, phone),
            name: self.name_of(&record),
            language: cell(Role::Language),
            time_zone: cell(Role::TimeZone),
            priority: cell(Role::Priority),
            external_id: cell(Role::ExternalId),
            email: cell(Role::Email),
            do_not_call: self.do_not_call_of(&record),
            has_prior_consent: cell(Role::HasPriorConsent),
            extra: extra
                .filter(|(extra, cell)| !(extra.is_unused && cell.is_empty()))
                .map(|(extra, cell)| (extra.name.clone(), cell.to_owned()))
                .collect(),
            original: self.without_own(record.cells),
        }
    }

    /// The first phone column in which the row has a number, else the first in which it has
    /// anything, for the error.
    fn phone_of(&self, record: &Record) -> usize {
        let has = |wanted: fn(char) -> bool| {
            let mut phones = self.phones.iter().copied();
            phones.find(|column| record.cell(*column).contains(wanted))
        };
        has(char::is_numeric)
            .or_else(|| has(|_| true))
            .unwrap_or(self.phones[0])
    }

    /// Where the column is when those that our error file adds are left out.
    fn place(&self, column: usize) -> usize {
        column - self.own.iter().filter(|own| **own < column).count()
    }

    /// What stands in the other phone columns.
    fn other_phones(&self, record: &Record, dialed: usize) -> Vec<PhoneCell> {
        let others = self.phones.iter().copied();
        let others = others.filter(|column| *column != dialed && !record.cell(*column).is_empty());
        let cell = |column: usize| PhoneCell {
            column: self.names[self.place(column)].clone(),
            text: record.cell(column).to_owned(),
            is_numeric: record.is_number(column),
        };
        others.map(cell).collect()
    }

    /// A yes, if any of the columns has one; else what is neither yes nor no; else what there is.
    fn do_not_call_of(&self, record: &Record) -> String {
        let cells = self.do_not_call.iter().map(|column| record.cell(*column));
        let said = cells.filter(|cell| !cell.is_empty());
        let said = said.min_by_key(|cell| match yes_no(cell) {
            Some(true) => 0,
            None => 1,
            Some(false) => 2,
        });
        said.unwrap_or_default().to_owned()
    }

    /// The person's name, put together from its parts.
    fn name_of(&self, record: &Record) -> String {
        let parts = self.roles.name_parts().into_iter().flatten();
        parts
            .map(|column| record.cell(column))
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The cells as they stand, without those that our error file has added.
    fn without_own(&self, cells: Vec<String>) -> Vec<String> {
        if self.own.is_empty() {
            return cells;
        }
        let cells = cells.into_iter().enumerate();
        cells
            .filter(|(column, _)| !self.own.contains(column))
            .map(|(_, cell)| cell)
            .collect()
    }
}

/// A name under which nothing is kept that does not come from this column.
fn unreserved(name: &str, header: &[String]) -> String {
    let mut name = name.to_owned();
    while Contact::RESERVED.contains(&name.as_str()) {
        name.push_str("_2");
        while header.iter().any(|heading| trimmed(heading) == name) {
            name.push_str("_2");
        }
    }
    name
}

/// The columns to be dialed: the one named as we name it, else the first that has numbers under a
/// heading that can mean nothing else, else one whose heading and cells together say so, else the
/// only one whose cells do. Then the others of such headings that have numbers, in their order.
fn phone_columns(
    header: &[String],
    body: &[Record],
    settings: &ReadSettings,
) -> Result<(Vec<usize>, FoundBy), CallListError> {
    let find = |wanted: &dyn Fn(usize, &str) -> bool| {
        header
            .iter()
            .enumerate()
            .position(|(column, heading)| wanted(column, heading))
    };
    let has_numbers = |column| layout::has_numbers(column, body);
    let first = find(&|_, heading| trimmed(heading) == Role::PhoneNumber.name())
        .or_else(|| {
            find(&|column, heading| heading::is_phone_number(heading) && has_numbers(column))
        })
        .or_else(|| find(&|_, heading| heading::is_phone_number(heading)))
        .or_else(|| {
            find(&|column, heading| heading::may_be_phone_number(heading) && has_numbers(column))
        });
    let Some(first) = first else {
        let candidates = layout::columns_of_numbers(body, header, settings);
        let shown = |column: usize| match header.get(column).map_or("", |text| trimmed(text)) {
            "" => found::letter(column),
            heading => format!("{} ({heading})", found::letter(column)),
        };
        return match layout::only(&candidates, shown)? {
            Some(column) => Ok((vec![column], FoundBy::Cells)),
            None => Err(CallListError::MissingPhoneColumn {
                found: header.to_vec(),
            }),
        };
    };
    let mut phones = vec![first];
    for (column, heading) in header.iter().enumerate() {
        let is_phone = heading::is_phone_number(heading) || heading::may_be_phone_number(heading);
        if column != first && is_phone && has_numbers(column) {
            phones.push(column);
        }
    }
    Ok((phones, FoundBy::Heading))
}

/// Whether a column of text has been one of numbers: nothing but digits, no zero in front, and
/// several that are numbers with a zero only, or that end in zeros as what was rounded does. One alone
/// may be a slip of the keyboard.
fn lose_zeros(phone: usize, body: &[Record], settings: &ReadSettings) -> bool {
    let mut cells = 0;
    let mut lack_zero = 0;
    let mut rounded = 0;
    for record in body {
        let cell = record.cell(phone);
        if cell.is_empty() {
            continue;
        }
        if digits(cell).is_none() {
            return false;
        }
        cells += 1;
        let reads = |is_numeric| settings.numbers(cell, is_numeric).is_some();
        lack_zero += usize::from(!reads(false) && reads(true));
        rounded += usize::from(reads(false) && !reads(true));
    }
    rounded >= 2 || (lack_zero >= 2 && 20 * lack_zero >= cells)
}

/// The cell, if it may have been a number: nothing but digits, and no zero in front.
fn digits(cell: &str) -> Option<&str> {
    let digits = cell.strip_suffix(".0").unwrap_or(cell);
    let is_number = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(digits)
}
