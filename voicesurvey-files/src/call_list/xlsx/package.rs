//! The parts of an Excel workbook, which is a ZIP archive of XML files.
//!
//! Nothing is believed that the archive says about sizes: what comes out is counted, and refused
//! when it is more than the limits allow.

use std::collections::HashMap;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use flate2::bufread::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use crate::call_list::{CallListError, ReadLimits};

/// More files than any workbook has.
const MOST_ENTRIES: usize = 20_000;

/// What a part may be larger than its compressed form by, whatever the ratio.
const FREE_BYTES: u64 = 64 << 20;

/// Where a part is in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    start: u64,
    /// Its length in the file.
    pub(super) length: u64,
    is_deflated: bool,
}

impl Part {
    /// How many bytes may come out of it.
    fn most(self, limits: &ReadLimits) -> u64 {
        let by_ratio = self.length.saturating_mul(limits.max_inflation);
        limits
            .max_inflated_bytes
            .min(by_ratio.saturating_add(FREE_BYTES))
    }
}

/// A ZIP archive, by the names of its parts.
pub(super) struct Package<F> {
    file: F,
    parts: HashMap<String, Part>,
    limits: ReadLimits,
}

/// A part that is being inflated.
pub(super) type Inflated<F> = BufReader<Counted<Inflate<F>>>;

impl<F: Read + Seek> Package<F> {
    pub(super) fn open(mut file: F, limits: ReadLimits) -> Result<Self, CallListError> {
        if claimed_entries(&mut file)? > MOST_ENTRIES as u64 {
            return Err(CallListError::TooLarge);
        }
        let mut archive = ZipArchive::new(file).map_err(|_| CallListError::Damaged)?;
        let mut parts = HashMap::new();
        for index in 0..archive.len() {
            let entry = archive
                .by_index_raw(index)
                .map_err(|_| CallListError::Damaged)?;
            let is_deflated = match entry.compression() {
                CompressionMethod::Stored => false,
                method if method == CompressionMethod::DEFLATE => true,
                _ => continue,
            };
            let name = entry.name().map_err(|_| CallListError::Damaged)?;
            let (Some(start), false) = (entry.data_start(), entry.encrypted()) else {
                continue;
            };
            let part = Part {
                start,
                length: entry.compressed_size(),
                is_deflated,
            };
            parts.insert(normal(&name), part);
        }
        Ok(Self {
            file: archive.into_inner(),
            parts,
            limits,
        })
    }

    /// Where the part with this name is; case does not matter.
    pub(super) fn find(&self, name: &str) -> Option<Part> {
        self.parts.get(&normal(name)).copied()
    }

    /// Reads a part with `read`.
    pub(super) fn read<T>(
        &mut self,
        part: Part,
        read: impl FnOnce(Inflated<&mut F>) -> Result<T, CallListError>,
    ) -> Result<T, CallListError> {
        let most = part.most(&self.limits);
        read(inflated(&mut self.file, part, most)?)
    }

    /// Reads a part from now on, and nothing else.
    pub(super) fn into_part(self, part: Part) -> Result<Inflated<F>, CallListError> {
        let most = part.most(&self.limits);
        inflated(self.file, part, most)
    }
}

/// How many entries the archive says it has, at its end. The library makes a record of each before
/// it returns.
fn claimed_entries<F: Read + Seek>(file: &mut F) -> Result<u64, CallListError> {
    /// The end of an archive with the longest comment, and the end of a large one before it.
    const TAIL: u64 = 65_535 + 22 + 20 + 56;
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail)?;
    let places = |signature: &'static [u8; 4]| {
        let windows = tail.windows(4).enumerate();
        windows.filter_map(move |(place, window)| (window == signature).then_some(place))
    };
    let number = |bytes: Option<&[u8]>| {
        let bytes = bytes.unwrap_or_default();
        bytes
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
    };
    let mut most = 0;
    for place in places(b"PK\x05\x06") {
        // All ones say that the number is in the end of a large archive.
        let entries = number(tail.get(place + 10..place + 12));
        most = most.max(if entries == 0xFFFF { 0 } else { entries });
    }
    for place in places(b"PK\x06\x07") {
        let end = number(tail.get(place + 8..place + 16));
        let mut record = Vec::new();
        file.seek(SeekFrom::Start(end.min(length)))?;
        file.take(56).read_to_end(&mut record)?;
        most = most.max(number(record.get(32..40)));
    }
    Ok(most)
}

fn inflated<F: Read + Seek>(
    mut file: F,
    part: Part,
    most: u64,
) -> Result<Inflated<F>, CallListError> {
    file.seek(SeekFrom::Start(part.start))?;
    let raw = BufReader::new(file.take(part.length));
    let inflate = if part.is_deflated {
        Inflate::Deflated(DeflateDecoder::new(raw))
    } else {
        Inflate::Stored(raw)
    };
    Ok(BufReader::with_capacity(
        32 * 1024,
        Counted {
            inner: inflate,
            left: most,
        },
    ))
}

/// Names differ in case, and some programs write them as Windows does.
fn normal(name: &str) -> String {
    name.replace('\\', "/")
        .trim_start_matches('/')
        .to_lowercase()
}

/// The bytes of a part as they were before they were compressed.
pub(super) enum Inflate<F> {
    Stored(BufReader<io::Take<F>>),
    Deflated(DeflateDecoder<BufReader<io::Take<F>>>),
}

impl<F: Read> Inflate<F> {
    /// Bytes of the part that are still in the file.
    pub(super) fn left_in_file(&self) -> u64 {
        match self {
            Self::Stored(raw) => raw.get_ref().limit(),
            Self::Deflated(decoder) => decoder.get_ref().get_ref().limit(),
        }
    }
}

impl<F: Read> Read for Inflate<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stored(raw) => raw.read(buffer),
            Self::Deflated(decoder) => decoder.read(buffer),
        }
    }
}

/// Fails when more comes than is allowed.
pub(super) struct Counted<R> {
    pub(super) inner: R,
    left: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(length as u64).ok_or_else(too_large)?;
        Ok(length)
    }
}

/// The error by which [`CallListError`] knows that a workbook is a bomb.
pub(super) fn too_large() -> io::Error {
    io::ErrorKind::FileTooLarge.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_may_be_so_many_times_its_size_but_no_more_than_the_limit() {
        let limits = ReadLimits {
            max_inflated_bytes: 1 << 30,
            max_inflation: 400,
            ..ReadLimits::default()
        };
        let most = |length| {
            let part = Part {
                start: 0,
                length,
                is_deflated: true,
            };
            part.most(&limits)
        };
        assert_eq!(most(1_000), FREE_BYTES + 400_000);
        assert_eq!(most(100 << 20), 1 << 30);
        assert_eq!(most(u64::MAX), 1 << 30);
    }

    #[test]
    fn what_comes_out_is_counted_whatever_was_said() {
        let counted = |left| {
            let mut counted = Counted {
                inner: &b"12345678"[..],
                left,
            };
            counted
                .read_to_end(&mut Vec::new())
                .map_err(|error| error.kind())
        };
        assert_eq!(counted(8), Ok(8));
        assert_eq!(counted(7), Err(io::ErrorKind::FileTooLarge));
    }
}
