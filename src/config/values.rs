//! What the values of flags may be.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;
use std::time::Duration;

use crate::limits;

/// The addresses that begin with the same bits: `10.0.0.0/8`, or `10.0.0.1` alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differs = u32::from(own) ^ u32::from(other);
                differs.checked_shr(32 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differs = u128::from(own) ^ u128::from(other);
                differs.checked_shr(128 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || "expected an address or a network, such as 10.0.0.1 or 10.0.0.0/8".to_owned();
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(all), str::parse).map_err(|_| wrong())?;
        if bits > all {
            return Err(wrong());
        }
        Ok(Network { address, bits })
    }
}

/// An address, or a name that stands for one on this machine.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let mut found = text.to_socket_addrs().map_err(|error| {
        format!("expected an address and a port, such as 127.0.0.1:8080 ({error})")
    })?;
    found.next().ok_or_else(|| format!("{text} has no address"))
}

/// What a header can say as it is.
pub(super) fn key(text: &str) -> Result<String, String> {
    match text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.is_empty() {
        true => Ok(text.to_owned()),
        false => Err("expected letters, digits and signs of ASCII, without spaces".to_owned()),
    }
}

pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() && duration <= DAY => Ok(duration),
        _ => Err("expected more than 0 and at most 86400 seconds".to_owned()),
    }
}

const DAY: Duration = Duration::from_secs(86_400);

/// A whole number with a unit: `90m`, `24h`, `7d`. Without one it is hours.
pub(super) fn retention(text: &str) -> Result<Duration, String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "" | "h" => 3600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return Err("expected a time such as 24h, 7d or 0".to_owned()),
    };
    let number: u32 = number.parse().map_err(|_| "expected a time such as 24h, 7d or 0")?;
    Ok(Duration::from_secs(u64::from(number) * seconds))
}

/// A name that can stand in a URL, in lower case.
pub(super) fn host_name(text: &str) -> Result<String, String> {
    let name = text.to_ascii_lowercase();
    let is_label = |label: &str| {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
        (1..=limits::HOST_LABEL_BYTES_MAX).contains(&label.len())
            && label.chars().all(is_allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_name = name.len() <= 253 && name.split('.').all(is_label);
    if !is_name || name.parse::<IpAddr>().is_ok() {
        return Err("expected a host name alone, such as db.example.com".to_owned());
    }
    Ok(name)
}

/// A name that can stand in a path and in a label of a host name.
pub(super) fn slug(text: &str) -> Result<String, String> {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_slug = (1..=limits::ORGANIZATION_BYTES_MAX).contains(&text.len())
        && text.chars().all(is_allowed)
        && !text.starts_with('-')
        && !text.ends_with('-');
    is_slug.then(|| text.to_owned()).ok_or_else(|| {
        format!(
            "expected 1 to {} lowercase letters, digits and dashes, with no dash at either end",
            limits::ORGANIZATION_BYTES_MAX
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{Network, host_name, retention, seconds, slug};

    #[test]
    fn networks() {
        let contains = |network: &str, address: &str| {
            network.parse::<Network>().unwrap().contains(address.parse().unwrap())
        };
        for (network, address) in [
            ("10.0.0.0/8", "10.255.0.1"),
            ("10.0.0.1", "10.0.0.1"),
            ("10.0.0.0/8", "::ffff:10.0.0.1"),
            ("0.0.0.0/0", "1.2.3.4"),
            ("::/0", "2001:db8::1"),
            ("fd00::/8", "fd12::1"),
            ("::1", "::1"),
        ] {
            assert!(contains(network, address), "{network} {address}");
        }
        for (network, address) in [
            ("10.0.0.0/8", "11.0.0.1"),
            ("10.0.0.1", "10.0.0.2"),
            ("0.0.0.0/0", "2001:db8::1"),
            ("fd00::/8", "fe00::1"),
        ] {
            assert!(!contains(network, address), "{network} {address}");
        }
        for text in ["", "10", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "proxy"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[test]
    fn host_names() {
        assert_eq!(host_name("DB.Example.com").unwrap(), "db.example.com");
        assert_eq!(host_name("localhost").unwrap(), "localhost");
        let long = "a".repeat(64);
        for text in
            ["", ".", "a.", ".a", "*.a", "a b", "a:80", "https://a", "127.0.0.1", "-a", &long]
        {
            assert!(host_name(text).is_err(), "{text}");
        }
    }

    #[test]
    fn slugs() {
        for text in ["a", "local", "my-org-2"] {
            assert_eq!(slug(text).unwrap(), text);
        }
        let long = "a".repeat(33);
        for text in ["", "A", "a.b", "a_b", "-a", "a-", "a/b", &long] {
            assert!(slug(text).is_err(), "{text}");
        }
    }

    #[test]
    fn retentions_have_units() {
        for (text, seconds) in [("0", 0), ("24", 86_400), ("90m", 5400), ("7d", 604_800)] {
            assert_eq!(retention(text).unwrap().as_secs(), seconds, "{text}");
        }
        for text in ["", "h", "-1h", "1x", "1.5h", "99999999999d"] {
            assert!(retention(text).is_err(), "{text}");
        }
    }

    #[test]
    fn seconds_are_positive_and_bounded() {
        assert_eq!(seconds("0.5").unwrap().as_millis(), 500);
        for text in ["", "x", "0", "-1", "NaN", "inf", "1e9"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
