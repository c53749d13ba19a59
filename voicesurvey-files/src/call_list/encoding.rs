//! Text in whatever encoding, as UTF-8.
//!
//! The whole file is looked at before the first row is read: what is UTF-8 for a million rows may
//! end with a line from another program. So a file that is not all UTF-8 is decoded line by line,
//! and only the lines that are not UTF-8 count as Windows-1251 or Windows-1252. Which of the two
//! is told by how the letters stand: Cyrillic words are made of high bytes alone, while the accented
//! letters of the west stand among plain ones.

use std::io::{self, Read, Seek, SeekFrom};

use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1251, WINDOWS_1252};

use super::{CallListError, Progress};

const CHUNK: usize = 64 * 1024;

/// A longer line is decoded in pieces.
const LONGEST_LINE: usize = 1 << 20;

/// How many of a hundred bytes may be control characters in what is still text. Zeros are another
/// matter: some programs fill up fields with them.
const MOST_CONTROLS: u64 = 5;

/// A text file, read as UTF-8 without byte order mark and without zero bytes.
pub(super) struct TextFile<F> {
    file: F,
    length: u64,
    /// Bytes taken from the file.
    read: u64,
    encoding: &'static Encoding,
    /// Whether there are lines in UTF-8 beside those in `encoding`.
    is_mixed: bool,
    has_zeros: bool,
    mark: u64,
    decoder: Option<Decoder>,
    /// Bytes of a line that is still to be completed.
    raw: Vec<u8>,
    /// What is decoded and not yet asked for.
    decoded: Vec<u8>,
    taken: usize,
}

impl<F: Read + Seek> TextFile<F> {
    /// Looks through the file and goes back to its beginning.
    pub(super) fn open(mut file: F) -> Result<Self, CallListError> {
        file.rewind()?;
        let mut survey = Survey::default();
        let mut chunk = vec![0; CHUNK];
        loop {
            let length = read_some(&mut file, &mut chunk)?;
            if length == 0 {
                break;
            }
            survey.take(&chunk[..length]);
        }
        let (encoding, mark) = survey.encoding()?;
        let mut text = Self {
            file,
            length: survey.length,
            read: 0,
            encoding,
            is_mixed: survey.is_mixed(encoding),
            has_zeros: survey.zeros > 0,
            mark,
            decoder: None,
            raw: Vec::new(),
            decoded: Vec::new(),
            taken: 0,
        };
        text.rewind()?;
        Ok(text)
    }

    /// Starts again at the beginning of the text.
    pub(super) fn rewind(&mut self) -> Result<(), CallListError> {
        self.file.seek(SeekFrom::Start(self.mark))?;
        self.read = self.mark;
        self.raw.clear();
        self.decoded.clear();
        self.taken = 0;
        let is_wide = [UTF_16LE, UTF_16BE].contains(&self.encoding);
        self.decoder = is_wide.then(|| self.encoding.new_decoder_without_bom_handling());
        Ok(())
    }

    /// The encoding for people.
    pub(super) fn encoding(&self) -> String {
        // The standard's names are in lower case for these two.
        let name = match self.encoding {
            encoding if encoding == WINDOWS_1251 => "Windows-1251",
            encoding if encoding == WINDOWS_1252 => "Windows-1252",
            encoding => encoding.name(),
        };
        if self.is_mixed {
            format!("UTF-8 and {name}")
        } else {
            name.to_owned()
        }
    }

    pub(super) fn progress(&self) -> Progress {
        Progress {
            read: self.read,
            total: self.length,
        }
    }

    fn read_raw(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = read_some(&mut self.file, buffer)?;
        self.read += length as u64;
        Ok(length)
    }

    /// Decodes some more; whether there was any.
    fn decode_more(&mut self) -> io::Result<bool> {
        let mut chunk = vec![0; CHUNK];
        let length = self.read_raw(&mut chunk)?;
        let is_end = length == 0;
        self.decoded.clear();
        self.taken = 0;
        if let Some(decoder) = &mut self.decoder {
            let most = decoder.max_utf8_buffer_length(length).unwrap_or(4 * CHUNK);
            self.decoded.resize(most, 0);
            let (_, _, written, _) =
                decoder.decode_to_utf8(&chunk[..length], &mut self.decoded, is_end);
            self.decoded.truncate(written);
            if is_end {
                self.decoder = None;
            }
            return Ok(!is_end || written > 0);
        }
        self.raw.extend_from_slice(&chunk[..length]);
        let complete = match self.raw.iter().rposition(|byte| *byte == b'\n') {
            Some(place) => place + 1,
            None if self.raw.len() > LONGEST_LINE => self.raw.len(),
            None => 0,
        };
        let complete = if is_end { self.raw.len() } else { complete };
        for line in self.raw[..complete].split_inclusive(|byte| *byte == b'\n') {
            let line_encoding = if str::from_utf8(line).is_ok() {
                UTF_8
            } else {
                self.encoding
            };
            let (text, _) = line_encoding.decode_without_bom_handling(line);
            self.decoded.extend_from_slice(text.as_bytes());
        }
        self.raw.drain(..complete);
        Ok(!is_end || complete > 0)
    }
}

impl<F: Read + Seek> Read for TextFile<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let length = if self.encoding == UTF_8 {
                let length = self.read_raw(buffer)?;
                if length == 0 {
                    return Ok(0);
                }
                length
            } else {
                if self.taken == self.decoded.len() {
                    if !self.decode_more()? {
                        return Ok(0);
                    }
                    continue;
                }
                let length = buffer.len().min(self.decoded.len() - self.taken);
                buffer[..length].copy_from_slice(&self.decoded[self.taken..self.taken + length]);
                self.taken += length;
                length
            };
            let length = if self.has_zeros {
                without_zeros(&mut buffer[..length])
            } else {
                length
            };
            if length > 0 {
                return Ok(length);
            }
        }
    }
}

/// Moves what is not zero to the front; how much that is.
fn without_zeros(buffer: &mut [u8]) -> usize {
    let mut kept = 0;
    for place in 0..buffer.len() {
        if buffer[place] != 0 {
            buffer[kept] = buffer[place];
            kept += 1;
        }
    }
    kept
}

fn read_some(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// What the bytes of a file say about its encoding.
#[derive(Debug, Default)]
struct Survey {
    length: u64,
    start: Vec<u8>,
    /// The first bytes of a character of UTF-8 whose rest is in the next chunk.
    open: Vec<u8>,
    /// Characters of more than one byte in UTF-8.
    long_characters: u64,
    /// Bytes that are none in UTF-8.
    foreign: u64,
    /// Letters of Windows-1251 and Windows-1252 after two others of these, and beside plain ones.
    in_words: u64,
    among_plain: u64,
    previous: [u8; 2],
    zeros: u64,
    zeros_at_even: u64,
    controls: u64,
    blanks: u64,
}

impl Survey {
    fn take(&mut self, chunk: &[u8]) {
        let wanted = 4 - self.start.len().min(4);
        self.start.extend(chunk.iter().take(wanted));
        if chunk.is_ascii() {
            self.foreign += self.open.len() as u64;
            self.open.clear();
            self.previous = [0, chunk.last().copied().unwrap_or_default()];
        } else {
            self.take_letters(chunk);
            self.take_characters(chunk);
        }
        for (place, byte) in (self.length..).zip(chunk) {
            match byte {
                0 => {
                    self.zeros += 1;
                    self.zeros_at_even += u64::from(place % 2 == 0);
                }
                b'\t' | b'\n' | b'\r' | b' ' => self.blanks += 1,
                1..=31 | 127 => self.controls += 1,
                _ => {}
            }
        }
        self.length += chunk.len() as u64;
    }

    fn take_letters(&mut self, chunk: &[u8]) {
        // In both encodings the letters begin at 0xC0; the two of Cyrillic that do not are rare.
        let is_high = |byte: u8| byte >= 0xC0;
        for byte in chunk {
            let [before, previous] = self.previous;
            if is_high(*byte) && is_high(previous) {
                // Two accented letters may meet, three do not.
                self.in_words += u64::from(is_high(before));
            } else if (is_high(*byte) && previous.is_ascii_alphabetic())
                || (is_high(previous) && byte.is_ascii_alphabetic())
            {
                self.among_plain += 1;
            }
            self.previous = [previous, *byte];
        }
    }

    fn take_characters(&mut self, chunk: &[u8]) {
        let mut joined = std::mem::take(&mut self.open);
        joined.extend_from_slice(chunk);
        let mut rest = joined.as_slice();
        loop {
            match str::from_utf8(rest) {
                Ok(text) => {
                    self.long_characters += long_characters(text);
                    return;
                }
                Err(error) => {
                    let (good, bad) = rest.split_at(error.valid_up_to());
                    self.long_characters += str::from_utf8(good).map_or(0, long_characters);
                    let Some(length) = error.error_len() else {
                        self.open = bad.to_vec();
                        return;
                    };
                    self.foreign += length as u64;
                    rest = &bad[length..];
                }
            }
        }
    }

    /// The encoding, and how long the byte order mark is.
    fn encoding(&self) -> Result<(&'static Encoding, u64), CallListError> {
        let marked = Encoding::for_bom(&self.start);
        if let Some((encoding, length)) = marked.filter(|(encoding, _)| *encoding != UTF_8) {
            return Ok((encoding, length as u64));
        }
        let visible = self.length - self.blanks - self.zeros;
        if visible <= marked.map_or(0, |(_, length)| length as u64) {
            return Err(CallListError::Empty);
        }
        // Text in plain letters has a zero for every letter in UTF-16; other text has them at
        // commas, digits and line ends.
        if 8 * self.zeros > self.length {
            let at_odd = self.zeros - self.zeros_at_even;
            if at_odd > 8 * self.zeros_at_even {
                return Ok((UTF_16LE, 0));
            }
            if self.zeros_at_even > 8 * at_odd {
                return Ok((UTF_16BE, 0));
            }
        }
        if 100 * self.controls > MOST_CONTROLS * self.length || 3 * self.zeros > self.length {
            return Err(CallListError::unsupported("a binary file"));
        }
        if self.foreign == 0 && self.open.is_empty() {
            return Ok((UTF_8, marked.map_or(0, |(_, length)| length as u64)));
        }
        let encoding = if 2 * self.in_words > self.among_plain {
            WINDOWS_1251
        } else {
            WINDOWS_1252
        };
        Ok((encoding, marked.map_or(0, |(_, length)| length as u64)))
    }

    fn is_mixed(&self, encoding: &'static Encoding) -> bool {
        // A few pairs of letters of Windows-1251 look like one character of UTF-8.
        let has_both = 8 * self.long_characters > self.foreign;
        [WINDOWS_1251, WINDOWS_1252].contains(&encoding) && has_both
    }
}

fn long_characters(text: &str) -> u64 {
    // Every character has one byte that does not continue another.
    let continuing = text.bytes().filter(|byte| (0x80..0xC0).contains(byte));
    continuing.count() as u64
}

#[cfg(test)]
mod tests;
