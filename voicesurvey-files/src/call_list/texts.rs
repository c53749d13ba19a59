//! The texts that a workbook keeps once for all its cells.

use super::CallListError;

/// Texts one after the other in one piece of memory: a list has millions of them, and most are
/// shorter than what a `String` takes by itself.
#[derive(Debug, Default)]
pub(super) struct Texts {
    text: String,
    ends: Vec<usize>,
    most_bytes: usize,
}

impl Texts {
    /// Holds as many bytes as that.
    pub(super) fn new(most_bytes: usize) -> Self {
        Self {
            most_bytes,
            ..Self::default()
        }
    }

    /// Adds what `write` appends as one text.
    pub(super) fn add(
        &mut self,
        write: impl FnOnce(&mut String) -> Result<(), CallListError>,
    ) -> Result<(), CallListError> {
        write(&mut self.text)?;
        self.ends.push(self.text.len());
        // What a text costs beside its letters counts too: there may be nothing but empty ones.
        if self.text.len() + size_of::<usize>() * self.ends.len() > self.most_bytes {
            return Err(CallListError::TooLarge);
        }
        Ok(())
    }

    /// The text with this number; `None` when there is none.
    pub(super) fn get(&self, number: usize) -> Option<&str> {
        let end = *self.ends.get(number)?;
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(most_bytes: usize, texts: &[&str]) -> Result<Texts, CallListError> {
        let mut held = Texts::new(most_bytes);
        for text in texts {
            held.add(|end| {
                end.push_str(text);
                Ok(())
            })?;
        }
        Ok(held)
    }

    #[test]
    fn each_text_is_found_by_its_number() {
        let held = texts(1_000, &["è", "", "abc"]).unwrap();
        let found: Vec<_> = (0..4).map(|number| held.get(number)).collect();
        assert_eq!(found, [Some("è"), Some(""), Some("abc"), None]);
    }

    #[test]
    fn texts_are_limited_also_when_they_are_empty() {
        assert!(texts(30, &["a", "b", "c"]).is_ok());
        assert!(matches!(texts(30, &[""; 5]), Err(CallListError::TooLarge)));
        assert!(matches!(
            texts(30, &["abcdefgh"; 3]),
            Err(CallListError::TooLarge)
        ));
    }
}
