//! Numbers in words: seconds, bytes, scores, shares.

/// So many things, for arithmetic.
#[expect(clippy::cast_precision_loss, reason = "what is counted fits into memory")]
pub(crate) fn float(count: usize) -> f64 {
    count as f64
}

/// `12,345`.
pub(crate) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 candidate`, `2 candidates`.
pub(crate) fn counted(number: usize, what: &str) -> String {
    format!("{} {what}{}", count(number), if number == 1 { "" } else { "s" })
}

/// `0 s`, `12 ms`, `1.25 s`, `2 min 05 s`, `1 h 02 min`, `3 d 04 h`.
pub(crate) fn seconds(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "?".to_owned();
    }
    let whole = seconds.max(0.0).round();
    let parts = |unit: f64, below: f64| ((whole / unit).floor(), ((whole % unit) / below).floor());
    match seconds {
        ..0.000_5 => "0 s".to_owned(),
        ..0.999_5 => format!("{:.0} ms", seconds * 1e3),
        ..9.995 => format!("{seconds:.2} s"),
        ..59.95 => format!("{seconds:.1} s"),
        _ => {
            let ((high, low), units) = match whole {
                ..3600.0 => (parts(60.0, 1.0), ("min", "s")),
                ..86400.0 => (parts(3600.0, 60.0), ("h", "min")),
                _ => (parts(86400.0, 3600.0), ("d", "h")),
            };
            format!("{high} {} {low:02} {}", units.0, units.1)
        }
    }
}

/// `512 B`, `1.5 KiB`, `12.3 MiB`.
pub(crate) fn bytes(bytes: f64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (bytes, 0);
    while value >= 1023.95 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0 && value < 99.95);
    format!("{value:.digits$} {}", units[unit])
}

/// With six digits that count, and an exponent where it would be long.
pub(crate) fn score(score: f64) -> String {
    let size = score.abs();
    if size != 0.0 && !(1e-4..1e9).contains(&size) {
        return format!("{score:.4e}");
    }
    let before = if size < 1.0 { 1 } else { 1 + count_of_tens(size) };
    let digits = 6_usize.saturating_sub(before).max(usize::from(size < 1e5));
    let text = format!("{score:.digits$}");
    if text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    text
}

fn count_of_tens(size: f64) -> usize {
    (1..=9).take_while(|power| size >= 10_f64.powi(*power)).count()
}

/// `12.3 %`; never 0 for some, nor 100 for fewer than all.
pub(crate) fn share(part: usize, whole: usize) -> String {
    if part == 0 || part == whole {
        return if part == 0 { "0 %" } else { "100 %" }.to_owned();
    }
    format!("{:.1} %", (float(part) / float(whole) * 100.0).clamp(0.1, 99.9))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_from_milliseconds_to_days() {
        let times = [0.0, 0.042, 1.254, 59.94, 59.96, 125.0, 3599.7, 3720.0, 273_600.0, f64::NAN];
        let expected = [
            "0 s",
            "42 ms",
            "1.25 s",
            "59.9 s",
            "1 min 00 s",
            "2 min 05 s",
            "1 h 00 min",
            "1 h 02 min",
            "3 d 04 h",
            "?",
        ];
        assert_eq!(times.map(seconds), expected);
    }

    #[test]
    fn sizes() {
        let sizes = [0.0, 512.0, 1536.0, 1_048_575.0, 1.5e9, 1e16];
        let expected = ["0 B", "512 B", "1.5 KiB", "1.0 MiB", "1.4 GiB", "9095 TiB"];
        assert_eq!(sizes.map(bytes), expected);
    }

    #[test]
    fn scores_keep_what_tells_them_apart() {
        let scores = [0.0, 2.635_863, 2.5, -0.125, 123_456.78, 1_000_000.0, 1e-7, -1e9, 1e300];
        let expected = [
            "0",
            "2.63586",
            "2.5",
            "-0.125",
            "123457",
            "1000000",
            "1.0000e-7",
            "-1.0000e9",
            "1.0000e300",
        ];
        assert_eq!(scores.map(score), expected);
    }

    #[test]
    fn counts_and_shares() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([counted(1, "host"), counted(2, "host")], ["1 host", "2 hosts"]);
        assert_eq!(share(0, 0), "0 %");
        assert_eq!([share(1, 10_000), share(9_999, 10_000)], ["0.1 %", "99.9 %"]);
    }
}
