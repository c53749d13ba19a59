//! Which column has which role, and how that was found out.

use std::collections::{BTreeMap, HashSet};

use voicesurvey_core::blank::{is_blank_character, trimmed};

use super::heading::{self, Meaning};
use super::source::Record;
use super::{CallListError, FoundBy, ReadSettings, Role, layout};

/// How many rows are looked at where there are no headings.
const SAMPLE: usize = 200;

/// The columns that have a role.
#[derive(Debug, Default)]
pub(super) struct Roles {
    columns: BTreeMap<Role, (usize, FoundBy)>,
}

impl Roles {
    /// The columns that the mapping names: by heading, else by letter or number.
    pub(super) fn of_mapping(
        header: &[String],
        width: usize,
        settings: &ReadSettings,
    ) -> Result<Self, CallListError> {
        let mut roles = Self::default();
        for (role, wanted) in &settings.mapping {
            let by_heading = header
                .iter()
                .position(|heading| heading::is_same(heading, wanted));
            let place = by_heading.or_else(|| layout::place_of(wanted, width.max(header.len())));
            let Some(column) = place else {
                return Err(CallListError::UnknownColumn {
                    role: *role,
                    column: wanted.clone(),
                    found: header.to_vec(),
                });
            };
            if roles.of_column(column).is_some() {
                return Err(CallListError::MappedTwice {
                    column: wanted.clone(),
                });
            }
            roles.set(*role, column, FoundBy::Mapping);
        }
        Ok(roles)
    }

    /// Adds what the headings say: our own names first, then the first column of each meaning.
    pub(super) fn add_headings(&mut self, header: &[String]) {
        for role in Role::ALL
            .into_iter()
            .filter(|role| *role != Role::PhoneNumber)
        {
            let is_name = |heading: &String| trimmed(heading) == role.name();
            if let Some(column) = header.iter().position(is_name) {
                self.add(role, column, FoundBy::Heading);
            }
        }
        // The headings of a name depend on each other: `Nome` is the first name beside `Cognome`,
        // and `Name` the last beside `Vorname`.
        let first = |wanted| {
            header
                .iter()
                .position(|heading| heading::meaning(heading) == Some(wanted))
        };
        let names = [
            Meaning::FullName,
            Meaning::GivenName,
            Meaning::FamilyName,
            Meaning::Name,
        ];
        match names.map(first) {
            [Some(full), ..] => self.add(Role::Name, full, FoundBy::Heading),
            [None, Some(given), Some(family), _] => {
                self.add(Role::FirstName, given, FoundBy::Heading);
                self.add(Role::LastName, family, FoundBy::Heading);
            }
            [None, Some(given), None, name] => {
                self.add_some(Role::FirstName, Some(given));
                self.add_some(Role::LastName, name);
            }
            [None, None, Some(family), name] => {
                self.add_some(Role::FirstName, name);
                self.add_some(Role::LastName, Some(family));
            }
            [None, None, None, name] => self.add_some(Role::Name, name),
        }
        for (role, meaning) in [
            (Role::Language, Meaning::Language),
            (Role::TimeZone, Meaning::TimeZone),
            (Role::Priority, Meaning::Priority),
            (Role::ExternalId, Meaning::ExternalId),
            (Role::Email, Meaning::Email),
            (Role::DoNotCall, Meaning::DoNotCall),
            (Role::HasPriorConsent, Meaning::HasPriorConsent),
        ] {
            self.add_some(role, first(meaning));
        }
    }

    /// The columns that say who must not be called, that with the role first. Where a mapping says
    /// which it is, no other is.
    pub(super) fn all_of_do_not_call(&self, header: &[String]) -> Vec<usize> {
        let Some((first, found_by)) = self.columns.get(&Role::DoNotCall).copied() else {
            return Vec::new();
        };
        let mut columns = vec![first];
        if found_by != FoundBy::Mapping {
            let is_meant = |column: &usize| {
                *column != first
                    && heading::meaning(&header[*column]) == Some(Meaning::DoNotCall)
                    && self.of_column(*column).is_none()
            };
            columns.extend((0..header.len()).filter(is_meant));
        }
        columns
    }

    /// Adds what the cells say where there are no headings: an e-mail address has an @, and a name
    /// is the only column of words, or the only one of several words.
    pub(super) fn add_cells(&mut self, body: &[Record], width: usize) {
        let free: Vec<usize> = (0..width)
            .filter(|column| self.of_column(*column).is_none())
            .collect();
        let of = |is_meant: fn(&str) -> bool| {
            let is_of = |column: &&usize| are_mostly(**column, body, is_meant);
            free.iter().filter(is_of).copied().collect::<Vec<usize>>()
        };
        if let [email] = of(is_email)[..] {
            self.add(Role::Email, email, FoundBy::Cells);
        }
        let are_different = |column: &usize| {
            let cells = body.iter().take(SAMPLE).map(|record| record.cell(*column));
            let cells: Vec<_> = cells.filter(|cell| !cell.is_empty()).collect();
            2 * cells.iter().collect::<HashSet<_>>().len() > cells.len()
        };
        let mut words = of(is_words);
        words.retain(are_different);
        let mut several = of(|cell| is_words(cell) && cell.contains(' '));
        several.retain(are_different);
        if let [name] = words[..] {
            self.add(Role::Name, name, FoundBy::Cells);
        } else if let [name] = several[..] {
            self.add(Role::Name, name, FoundBy::Cells);
        }
    }

    /// Gives the role to the column, whatever had it.
    pub(super) fn set(&mut self, role: Role, column: usize, found_by: FoundBy) {
        self.columns.insert(role, (column, found_by));
    }

    /// Gives the role to the column, unless either is taken. A name as a whole and its parts
    /// exclude each other.
    fn add(&mut self, role: Role, column: usize, found_by: FoundBy) {
        let contradicts = match role {
            Role::FirstName | Role::LastName => self.columns.contains_key(&Role::Name),
            Role::Name => {
                self.columns.contains_key(&Role::FirstName)
                    || self.columns.contains_key(&Role::LastName)
            }
            _ => false,
        };
        if !contradicts && !self.columns.contains_key(&role) && self.of_column(column).is_none() {
            self.set(role, column, found_by);
        }
    }

    fn add_some(&mut self, role: Role, column: Option<usize>) {
        if let Some(column) = column {
            self.add(role, column, FoundBy::Heading);
        }
    }

    /// The column with this role.
    pub(super) fn column(&self, role: Role) -> Option<usize> {
        self.columns.get(&role).map(|(column, _)| *column)
    }

    /// The role of this column, and how it was found out.
    pub(super) fn of_column(&self, column: usize) -> Option<(Role, FoundBy)> {
        let mut roles = self.columns.iter();
        roles
            .find(|(_, (its_column, _))| *its_column == column)
            .map(|(role, (_, found_by))| (*role, *found_by))
    }

    /// Every role with its column.
    pub(super) fn all(&self) -> impl Iterator<Item = (Role, usize)> {
        self.columns
            .iter()
            .map(|(role, (column, _))| (*role, *column))
    }

    /// The parts of the name, in the order in which they are spoken.
    pub(super) fn name_parts(&self) -> [Option<usize>; 3] {
        [Role::Name, Role::FirstName, Role::LastName].map(|role| self.column(role))
    }

    /// Whether a column with this role is kept as it is, too: a script may greet by the first name
    /// only, so the parts of a name stay at hand.
    pub(super) fn is_kept_too(&self, role: Role) -> bool {
        let has_both =
            self.column(Role::FirstName).is_some() && self.column(Role::LastName).is_some();
        has_both && matches!(role, Role::FirstName | Role::LastName)
    }
}

/// Whether four in five of the cells that are not empty are of this kind, and half are not empty.
fn are_mostly(column: usize, body: &[Record], is_meant: fn(&str) -> bool) -> bool {
    let sample = &body[..body.len().min(SAMPLE)];
    let cells = sample.iter().map(|record| record.cell(column));
    let cells: Vec<_> = cells.filter(|cell| !cell.is_empty()).collect();
    let meant = cells.iter().filter(|cell| is_meant(cell)).count();
    meant > 0 && 5 * meant >= 4 * cells.len() && 2 * cells.len() >= sample.len()
}

fn is_email(cell: &str) -> bool {
    let dotted = |domain: &str| domain.contains('.') && !domain.contains(is_blank_character);
    cell.split_once('@')
        .is_some_and(|(name, domain)| !name.is_empty() && dotted(domain))
}

fn is_words(cell: &str) -> bool {
    let is_of_word = |c: char| {
        c.is_alphabetic() || is_blank_character(c) || matches!(c, '\'' | '’' | '.' | '-' | ',')
    };
    cell.chars().filter(|c| c.is_alphabetic()).count() >= 2 && cell.chars().all(is_of_word)
}
