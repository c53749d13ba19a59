//! Lines of standard input, as somebody types them or another program writes them.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

/// More than any line takes that can be used. A longer one is refused without being kept.
const LONGEST_LINE: usize = 64 * 1024;

/// One line as it came in.
#[derive(Debug, PartialEq)]
pub(super) enum Line {
    Whole(Vec<u8>),
    TooLong,
}

impl Line {
    /// The line without the space around it, or what is wrong with it.
    pub(super) fn text(&self) -> Result<&str, String> {
        let Self::Whole(bytes) = self else {
            return Err(format!("the line has more than {LONGEST_LINE} bytes"));
        };
        let text = std::str::from_utf8(bytes).map_err(|_| "the line is not UTF-8".to_owned())?;
        // Editors on Windows begin a file with a mark.
        Ok(text.trim_start_matches('\u{feff}').trim())
    }
}

/// The next line without its line break, or `None` at the end.
pub(super) async fn next_line(input: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Line>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(LONGEST_LINE).map_or(u64::MAX, |most| most + 1);
    if (&mut *input)
        .take(most)
        .read_until(b'\n', &mut bytes)
        .await?
        == 0
    {
        return Ok(None);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    } else if bytes.len() > LONGEST_LINE {
        skip_line(input).await?;
        return Ok(Some(Line::TooLong));
    }
    Ok(Some(Line::Whole(bytes)))
}

async fn skip_line(input: &mut (impl AsyncBufRead + Unpin)) -> io::Result<()> {
    loop {
        let read = input.fill_buf().await?;
        let end = read.iter().position(|&byte| byte == b'\n');
        let (passed, is_over) = match end {
            Some(end) => (end + 1, true),
            None => (read.len(), read.is_empty()),
        };
        input.consume(passed);
        if is_over {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::BufReader;

    use super::*;

    async fn lines(input: &[u8]) -> Vec<Line> {
        // A small buffer, so that lines lie across its end.
        let mut input = BufReader::with_capacity(7, input);
        let mut lines = Vec::new();
        while let Some(line) = next_line(&mut input).await.unwrap() {
            lines.push(line);
        }
        lines
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_takes_no_other_with_it() {
        let whole = |length: usize| vec![b'x'; length];
        for (length, expected) in [
            (LONGEST_LINE, Line::Whole(whole(LONGEST_LINE))),
            (LONGEST_LINE + 1, Line::TooLong),
            (LONGEST_LINE * 2 + 3, Line::TooLong),
        ] {
            let input = [&whole(length)[..], b"\nb"].concat();
            assert_eq!(
                lines(&input).await,
                [expected, Line::Whole(b"b".to_vec())],
                "{length}"
            );
        }
        assert_eq!(lines(&whole(LONGEST_LINE + 1)).await, [Line::TooLong]);
    }

    #[tokio::test]
    async fn the_last_line_needs_no_line_break() {
        let a = || Line::Whole(b"a".to_vec());
        assert_eq!(lines(b"").await, []);
        assert_eq!(lines(b"a").await, [a()]);
        assert_eq!(lines(b"a\n").await, [a()]);
        assert_eq!(lines(b"\na").await, [Line::Whole(Vec::new()), a()]);
    }

    #[test]
    fn a_line_is_read_as_it_was_meant() {
        let text = |bytes: &[u8]| Line::Whole(bytes.to_vec()).text().map(str::to_owned);
        assert_eq!(text("\u{feff} sì \r".as_bytes()), Ok("sì".to_owned()));
        assert!(text(b"\xff").unwrap_err().contains("not UTF-8"));
        assert!(Line::TooLong.text().unwrap_err().contains("65536 bytes"));
    }
}
