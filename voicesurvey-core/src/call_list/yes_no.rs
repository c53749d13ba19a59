//! Yes and no as people and spreadsheets write them in a cell.

const YES: &[&str] = &[
    "1",
    "yes",
    "y",
    "true",
    "t",
    "on",
    "x",
    "✓",
    "✔",
    "☑",
    "sì",
    "si",
    "s",
    "vero",
    "sí",
    "verdadero",
    "oui",
    "vrai",
    "ja",
    "j",
    "wahr",
    "да",
    "д",
    "истина",
    "+",
];

const NO: &[&str] = &[
    "0", "no", "n", "false", "f", "off", "-", "☐", "✗", "✘", "falso", "non", "faux", "nein",
    "falsch", "нет", "н", "ложь",
];

/// What the cell says; `None` when it is neither yes nor no.
pub fn read(cell: &str) -> Option<bool> {
    let cell = cell.trim().to_lowercase();
    if YES.contains(&cell.as_str()) {
        Some(true)
    } else {
        NO.contains(&cell.as_str()).then_some(false)
    }
}
