//! Results by the cells of quotas.

use super::*;

#[test]
fn who_is_in_several_cells_counts_in_each_and_an_empty_cell_is_a_group() {
    let cell = |place: usize| QuotaCell {
        name: format!("{}", 200 - place),
        target: 1,
        conditions: crate::quota::CellConditions::default(),
    };
    // More than there may be values.
    let cells: Vec<QuotaCell> = (0..=Tally::MOST_GROUPS).map(cell).collect();
    let questions = questions();
    let mut tally = Tally::new(&questions, Language::It, &cells, Some(&Breakdown::Cell)).unwrap();
    for somebody in [&[][..], &[0], &[0, 2], &[2, 100], &[]] {
        tally.add(&in_cells(somebody)).unwrap();
    }
    let Results { all, groups } = tally.finish();
    assert_eq!(all.contacts, 5);
    let groups = groups
        .into_iter()
        .map(|group| (group.value, group.contacts));
    let groups: Vec<_> = groups.collect();
    let expected = (0..=Tally::MOST_GROUPS).map(|place| {
        let people = match place {
            0 | 2 => 2,
            100 => 1,
            _ => 0,
        };
        (Some(cell(place).name), people)
    });
    let expected: Vec<_> = expected.chain([(None, 2)]).collect();
    assert_eq!(groups, expected);
}
