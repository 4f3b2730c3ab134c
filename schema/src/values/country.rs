use std::str::FromStr;

use super::{InvalidValue, refuse, serde_as_text, text_newtype};

/// A country by its two letters (ISO 3166-1 alpha-2): whose rules for radio hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(String);

/// Every code that is assigned.
pub(super) const CODES: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI \
    BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN \
    CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK \
    FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM \
    HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN \
    KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK \
    ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP \
    NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW \
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF \
    TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI \
    VN VU WF WS YE YT ZA ZM ZW";

impl FromStr for Country {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if CODES.split(' ').any(|code| code == text) {
            return Ok(Self(text.to_owned()));
        }
        match text {
            "UK" | "uk" => refuse!("`{text}` is not a country: the United Kingdom is `GB`"),
            "EU" | "eu" => refuse!("`{text}` is not a country; write that in which the device is"),
            _ => {}
        }
        let upper = text.to_ascii_uppercase();
        if CODES.split(' ').any(|code| code == upper) {
            refuse!("`{text}` is not a country; did you mean `{upper}`?");
        }
        refuse!("`{text}` is not a country; write its two capital letters, such as `NL`")
    }
}

text_newtype!(Country);
serde_as_text!(Country);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_one_that_there_is() {
        assert_eq!(CODES.split(' ').count(), 249);
        assert!("NO".parse::<Country>().is_ok());
        let refusal = |text: &str| text.parse::<Country>().unwrap_err().to_string();
        assert!(refusal("UK").contains("`GB`"));
        assert!(refusal("nl").contains("did you mean `NL`?"));
        for text in ["XX", "NLD", "N1", "", "AA", "NL DE"] {
            assert!(text.parse::<Country>().is_err(), "{text}");
        }
    }
}
