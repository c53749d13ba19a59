//! The records of which an `.xls` workbook is made, and the texts in them.

use super::TextEncoding;

pub(super) const FORMULA: u16 = 0x0006;
pub(super) const END: u16 = 0x000A;
pub(super) const FROM_1904: u16 = 0x0022;
pub(super) const PASSWORD: u16 = 0x002F;
pub(super) const CONTINUE: u16 = 0x003C;
pub(super) const CODE_PAGE: u16 = 0x0042;
pub(super) const SHEET: u16 = 0x0085;
pub(super) const COMPRESSED_NUMBERS: u16 = 0x00BD;
pub(super) const RICH_LABEL: u16 = 0x00D6;
pub(super) const STYLE: u16 = 0x00E0;
pub(super) const TEXTS: u16 = 0x00FC;
pub(super) const SHARED_LABEL: u16 = 0x00FD;
pub(super) const NUMBER: u16 = 0x0203;
pub(super) const LABEL: u16 = 0x0204;
pub(super) const BOOLEAN_OR_ERROR: u16 = 0x0205;
pub(super) const TEXT_OF_FORMULA: u16 = 0x0207;
pub(super) const COMPRESSED_NUMBER: u16 = 0x027E;
pub(super) const FORMAT: u16 = 0x041E;
pub(super) const BEGIN: u16 = 0x0809;

/// One record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    /// Where it begins in the stream.
    pub(super) start: usize,
    pub(super) kind: u16,
    pub(super) data: &'a [u8],
}

/// The records of a stream from some place on. A record that is cut off ends them.
#[derive(Debug)]
pub(super) struct Records<'a> {
    stream: &'a [u8],
    place: usize,
}

impl<'a> Records<'a> {
    pub(super) fn new(stream: &'a [u8], place: usize) -> Self {
        Self { stream, place }
    }

    /// Where the next record begins.
    pub(super) fn place(&self) -> usize {
        self.place
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let kind = le_u16(self.stream, self.place)?;
        let length = usize::from(le_u16(self.stream, self.place.checked_add(2)?)?);
        let start = self.place;
        let data = self.stream.get(start + 4..start + 4 + length)?;
        self.place = start + 4 + length;
        Some(Record { start, kind, data })
    }
}

pub(super) fn le_u16(data: &[u8], place: usize) -> Option<u16> {
    let bytes = data.get(place..)?.first_chunk()?;
    Some(u16::from_le_bytes(*bytes))
}

pub(super) fn le_u32(data: &[u8], place: usize) -> Option<u32> {
    let bytes = data.get(place..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

pub(super) fn le_f64(data: &[u8], place: usize) -> Option<f64> {
    let bytes = data.get(place..)?.first_chunk()?;
    Some(f64::from_le_bytes(*bytes))
}

/// The texts of a record and of those that continue it.
#[derive(Debug)]
pub(super) struct Strings<'a> {
    pieces: Vec<&'a [u8]>,
    piece: usize,
    place: usize,
}

impl<'a> Strings<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self::of_pieces(&[data])
    }

    pub(super) fn of_pieces(pieces: &[&'a [u8]]) -> Self {
        Self {
            pieces: pieces.to_vec(),
            piece: 0,
            place: 0,
        }
    }

    /// What is left of the piece; pieces that are used up are left behind.
    fn rest(&mut self) -> &'a [u8] {
        while let Some(piece) = self.pieces.get(self.piece) {
            if self.place < piece.len() {
                return &piece[self.place..];
            }
            self.piece += 1;
            self.place = 0;
        }
        &[]
    }

    pub(super) fn is_at_end(&mut self) -> bool {
        self.rest().is_empty()
    }

    pub(super) fn skip(&mut self, bytes: usize) {
        let mut left = bytes;
        while left > 0 && !self.is_at_end() {
            let step = left.min(self.rest().len());
            self.place += step;
            left -= step;
        }
    }

    fn byte(&mut self) -> u8 {
        let byte = self.rest().first().copied().unwrap_or_default();
        self.skip(1);
        byte
    }

    fn number(&mut self, bytes: u32) -> usize {
        (0..bytes).fold(0, |number, place| {
            number | usize::from(self.byte()) << (8 * place)
        })
    }

    /// A text of so many characters.
    pub(super) fn read(&mut self, length: usize, encoding: TextEncoding) -> String {
        let mut text = String::new();
        match encoding {
            TextEncoding::Unicode => {
                let flags = self.byte();
                self.read_unicode(length, flags, &mut text);
            }
            TextEncoding::CodePage(page) => {
                let rest = self.rest();
                let bytes = &rest[..length.min(rest.len())];
                text.push_str(&page.decode_without_bom_handling(bytes).0);
                self.skip(bytes.len());
            }
        }
        text
    }

    /// Adds a text with its length before it, and passes over its fonts and pronunciation.
    pub(super) fn read_rich(&mut self, text: &mut String) {
        let length = self.number(2);
        let flags = self.byte();
        let fonts = if flags & 8 == 0 { 0 } else { self.number(2) };
        let extension = if flags & 4 == 0 { 0 } else { self.number(4) };
        self.read_unicode(length, flags, text);
        self.skip(4 * fonts);
        self.skip(extension);
    }

    /// Where a text goes on in another record, that begins by saying again how wide the characters
    /// are.
    fn read_unicode(&mut self, length: usize, flags: u8, text: &mut String) {
        let mut is_wide = flags & 1 == 1;
        let mut left = length;
        let mut units = Vec::new();
        loop {
            let rest = self.rest();
            let width = if is_wide { 2 } else { 1 };
            let count = left.min(rest.len() / width);
            units.extend(
                rest[..count * width]
                    .chunks_exact(width)
                    .map(|unit| match unit {
                        [low, high] => u16::from_le_bytes([*low, *high]),
                        _ => u16::from(unit[0]),
                    }),
            );
            self.skip(count * width);
            left -= count;
            if left == 0 || self.is_at_end() {
                break;
            }
            if self.place == 0 {
                is_wide = self.byte() & 1 == 1;
            } else {
                // Half a character at the end of a record: it cannot be read.
                self.skip(1);
            }
        }
        text.extend(
            char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_goes_on_in_the_next_record_with_another_width() {
        let pieces: [&[u8]; 2] = [b"\x04\x00\x00ab", b"\x01\xe8\x00\x16\x04\x01\x00\x00z"];
        let mut strings = Strings::of_pieces(&pieces);
        let mut texts = String::new();
        strings.read_rich(&mut texts);
        assert_eq!(texts, "abè\u{416}");
        strings.read_rich(&mut texts);
        assert_eq!(texts, "abè\u{416}z");
        assert!(strings.is_at_end());
    }

    #[test]
    fn fonts_and_pronunciation_are_passed_over() {
        let piece = b"\x01\x00\x0c\x01\x00\x02\x00\x00\x00aFFFFEE\x01\x00\x00b";
        let mut strings = Strings::new(piece);
        let mut texts = String::new();
        strings.read_rich(&mut texts);
        strings.read_rich(&mut texts);
        assert_eq!(texts, "ab");
    }

    #[test]
    fn what_is_cut_off_ends_there() {
        let mut text = String::new();
        Strings::new(b"\xff\xff\x01a").read_rich(&mut text);
        assert_eq!(text, "");
        Strings::new(b"\xff\xff\x00ab").read_rich(&mut text);
        assert_eq!(text, "ab");
        assert_eq!(Records::new(b"\x0a\x00\x04\x00abc", 0).count(), 0);
        assert_eq!(Records::new(b"\x0a\x00\x03\x00abc\x01", 0).count(), 1);
    }
}
