//! Column names that are all different, so that no column hides another.

use std::collections::HashSet;

/// Names of columns that are taken, and new ones made from them.
#[derive(Debug, Default)]
pub(crate) struct ColumnNames {
    taken: HashSet<String>,
}

impl ColumnNames {
    /// Takes `name` for the column at `position`, counted from 1: `note`, then `note_2`; a column
    /// without a name is called `column_3` after its position.
    pub(crate) fn take(&mut self, name: &str, position: usize) -> String {
        let name = match name.trim() {
            "" => format!("column_{position}"),
            name => name.to_owned(),
        };
        let mut distinct = name.clone();
        let mut copies = 1;
        while !self.taken.insert(distinct.clone()) {
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
}
