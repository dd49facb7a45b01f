//! Whether a request means this server.

/// Whether that is the `Host` of a request that was addressed here, and not to a name that someone's page on the
/// web had point to this machine (DNS rebinding), to read what is not its own.
pub(super) fn is_ours(host: Option<&str>, port: u16) -> bool {
    let Some((name, given)) = host.and_then(|host| host.rsplit_once(':')) else { return false };
    given == port.to_string() && (name == "127.0.0.1" || name.eq_ignore_ascii_case("localhost"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_address_or_as_localhost_with_the_port() {
        for host in ["127.0.0.1:8080", "localhost:8080", "LOCALHOST:8080"] {
            assert!(is_ours(Some(host), 8080), "{host}");
        }
        let others = [
            "127.0.0.1",
            "localhost:80",
            "evil.example:8080",
            "127.0.0.1.evil.example:8080",
            "127.0.0.1:8080@evil.example:8080",
            "127.0.0.1:08080",
            "",
        ];
        for host in others {
            assert!(!is_ours(Some(host), 8080), "{host}");
        }
        assert!(!is_ours(None, 8080));
    }
}
