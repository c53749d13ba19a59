//! Takes chance out of the program: with the seeds of hash maps, the way through them changes from
//! run to run, and the fuzzer would take that for news.

/// Stands in front of the system's function of this name, as the standard library means it to be
/// possible: nothing that is fuzzed needs true chance.
///
/// # Safety
///
/// `buffer` must have room for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getrandom(buffer: *mut u8, length: usize, _flags: u32) -> isize {
    // SAFETY: the caller says that there is room.
    unsafe { buffer.write_bytes(0x5A, length) };
    length.cast_signed()
}
