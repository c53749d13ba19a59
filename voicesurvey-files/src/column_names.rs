//! Column names that are all different, so that no column hides another.

use std::collections::HashSet;

use voicesurvey_core::blank::trimmed;

/// Names of columns that are taken, and new ones made from them.
#[derive(Debug, Default)]
pub(crate) struct ColumnNames {
    taken: HashSet<String>,
    ignores_case: bool,
}

impl ColumnNames {
    /// Names that differ in case only are not different enough: databases and statistics programs take
    /// them for the same.
    pub(crate) fn ignoring_case() -> Self {
        Self {
            ignores_case: true,
            ..Self::default()
        }
    }

    fn insert(&mut self, name: &str) -> bool {
        self.taken.insert(if self.ignores_case {
            name.to_lowercase()
        } else {
            name.to_owned()
        })
    }

    /// Takes `name` for the column at `position`, counted from 1: `note`, then `note_2`; a column
    /// without a name is called `column_3` after its position.
    pub(crate) fn take(&mut self, name: &str, position: usize) -> String {
        let name = match trimmed(name) {
            "" => format!("column_{position}"),
            name => name.to_owned(),
        };
        let mut distinct = name.clone();
        let mut copies = 1;
        while !self.insert(&distinct) {
            copies += 1;
            distinct = format!("{name}_{copies}");
        }
        distinct
    }

    /// Takes the names of all `columns`, in their order.
    pub(crate) fn take_all(&mut self, columns: &[String]) -> Vec<String> {
        let positions = 1..;
        columns
            .iter()
            .zip(positions)
            .map(|(name, position)| self.take(name, position))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_and_missing_names_become_distinct() {
        let columns = ["note", "", "note ", "note_2", "", "Note"].map(ToOwned::to_owned);
        assert_eq!(
            ColumnNames::default().take_all(&columns),
            ["note", "column_2", "note_2", "note_2_2", "column_5", "Note"]
        );
    }

    #[test]
    fn names_that_differ_in_case_only_become_distinct_where_that_matters() {
        let columns = ["note", "Note", "NOTE", "Città", "CITTÀ"].map(ToOwned::to_owned);
        assert_eq!(
            ColumnNames::ignoring_case().take_all(&columns),
            ["note", "Note_2", "NOTE_3", "Città", "CITTÀ_2"]
        );
    }
}
