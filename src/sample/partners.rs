//! The invented partners: who they are, where, what they are certified for, and how they behave.
//!
//! Duty: one table. Not its duty: volumes and behaviour in numbers (`personas`). Every name is made up; every mail
//! domain is under `.example`.

use Persona::{
    Appeals, Average, BlackLine, CriticalOpen, Declining, Dominant, Good, Improving, Lapsing, Left, Merged, New,
    Overdue, Renamed, SelfReports, Tiny, Uncertified, YellowLine,
};
use Region::{Apac, Emea, Latam};
use Size::{Large, Medium, Small};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Region {
    Emea,
    Apac,
    Latam,
}

impl Region {
    pub(super) const ALL: [Region; 3] = [Emea, Apac, Latam];

    /// As in folders and columns.
    pub(super) fn name(self) -> &'static str {
        ["emea", "apac", "latam"][self as usize]
    }

    /// As at the head of identifiers.
    pub(super) fn prefix(self) -> &'static str {
        ["EM", "AP", "LA"][self as usize]
    }

    pub(super) fn selling_entity(self) -> &'static str {
        ["SL-EMEA", "SL-APAC", "SL-LATAM"][self as usize]
    }
}

/// The story a partner's facts tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Persona {
    Good,
    Average,
    Declining,
    Improving,
    /// Joined in the middle of the year.
    New,
    /// Too few facts to be rated.
    Tiny,
    /// A confirmed L1 event.
    BlackLine,
    /// Two confirmed L2 events.
    YellowLine,
    Uncertified,
    /// Its certification ends within 2026-Q2.
    Lapsing,
    /// One customer gives most of the answers.
    Dominant,
    /// Many parts overdue.
    Overdue,
    /// A critical inspection finding stays open.
    CriticalOpen,
    SelfReports,
    /// Appeals filed, upheld, rejected, and an event withdrawn.
    Appeals,
    Renamed,
    Merged,
    Left,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Large,
    Medium,
    Small,
}

/// One line of the table.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) name: &'static str,
    /// Mail domain without `.example`.
    pub(super) mail: &'static str,
    pub(super) region: Region,
    pub(super) country: &'static str,
    pub(super) zone: &'static str,
    pub(super) tier: &'static str,
    pub(super) language: &'static str,
    pub(super) currency: &'static str,
    pub(super) size: Size,
    pub(super) persona: Persona,
    /// Certified domains with stars; stars 0: works there without a certification.
    pub(super) domains: &'static [(&'static str, u8)],
    /// Number of the parent partner, 0 for none.
    pub(super) parent: u64,
}

/// A line of the table without the line noise of field names.
macro_rules! partners {
    ($($name:literal $mail:literal $region:ident $country:literal $zone:literal $tier:literal $language:literal
       $currency:literal $size:ident $persona:ident $domains:expr, $parent:literal;)*) => {
        &[$(Template {
            name: $name, mail: $mail, region: $region, country: $country, zone: $zone, tier: $tier,
            language: $language, currency: $currency, size: $size, persona: $persona, domains: &$domains,
            parent: $parent,
        }),*]
    };
}

const RS: &str = "routing-switching";
const WL: &str = "wireless-lan";
const SE: &str = "security";
const TR: &str = "transmission";
const UC: &str = "unified-communications";
const VC: &str = "video-conferencing";
const IV: &str = "intelligent-video-surveillance";
const CC: &str = "call-center";
const CL: &str = "cloud";
const SS: &str = "server-storage";
const UP: &str = "ups";
const NW: &str = "networking";

/// Numbered from 1 in this order; `EM-0001` is the first. Larger sets repeat the table under new names.
#[rustfmt::skip]
pub(super) const TEMPLATES: &[Template] = partners! {
    "Nordlicht Netzwerke GmbH" "nordlicht" Emea "DE" "Europe/Berlin" "gold" "de" "EUR" Large Good [(RS, 5), (WL, 4)], 0;
    "Müller & Söhne Systemtechnik KG" "mueller-soehne" Emea "DE" "Europe/Berlin" "vap" "de" "EUR" Medium Average [(SS, 4), (CL, 3)], 0;
    "Établissements Lefèvre Réseaux SAS" "lefevre-reseaux" Emea "FR" "Europe/Paris" "silver" "fr" "EUR" Medium Declining [(RS, 4)], 0;
    "O'Shaughnessy Voice Ltd" "oshaughnessy" Emea "GB" "Europe/London" "gold" "en" "GBP" Medium Improving [(UC, 4)], 0;
    "Copperbeech Cloud plc" "copperbeech" Emea "GB" "Europe/London" "gold" "en" "GBP" Large Dominant [(CL, 4)], 0;
    "Al-Nakheel Integrated Systems W.L.L." "al-nakheel" Emea "KW" "Asia/Kuwait" "distributor" "en" "KWD" Large Average [(SE, 4), (RS, 3)], 0;
    "Gulf Lantern Surveillance Co." "gulf-lantern" Emea "KW" "Asia/Kuwait" "silver" "en" "KWD" Medium SelfReports [(IV, 3)], 0;
    "Ibérica Redes Azules S.L." "redes-azules" Emea "ES" "Europe/Madrid" "silver" "es" "EUR" Medium BlackLine [(RS, 3)], 0;
    "Wiener Stromwacht GmbH" "stromwacht" Emea "AT" "Europe/Vienna" "silver" "de" "EUR" Medium Average [(UP, 4)], 0;
    "Atelier Vidéo Clair-Obscur SARL" "clair-obscur" Emea "FR" "Europe/Paris" "silver" "fr" "EUR" Medium Renamed [(VC, 3)], 0;
    "Kleinstadt IT UG" "kleinstadt-it" Emea "DE" "Europe/Berlin" "authorized" "de" "EUR" Small Tiny [(WL, 3)], 0;
    "Nordlicht Service Süd GmbH" "nordlicht-sued" Emea "DE" "Europe/Berlin" "silver" "de" "EUR" Small Average [(NW, 4)], 1;
    "Highmoor Networks <North> Ltd" "highmoor" Emea "GB" "Europe/London" "authorized" "en" "GBP" Medium Uncertified [(RS, 0), (WL, 0)], 0;
    "Lusitânia Telefonia Lda" "lusitania-telefonia" Emea "PT" "Europe/Lisbon" "authorized" "pt" "EUR" Small Left [(CC, 3)], 0;
    "Elbe Datentechnik AG" "elbe-datentechnik" Emea "DE" "Europe/Berlin" "gold" "de" "EUR" Medium Lapsing [(RS, 4)], 0;
    "星河网络科技有限公司" "xinghe-net" Apac "CN" "Asia/Shanghai" "gold" "zh" "CNY" Large Good [(NW, 5)], 0;
    "青山云计算有限公司" "qingshan-cloud" Apac "CN" "Asia/Shanghai" "silver" "zh" "CNY" Medium Average [(CL, 4)], 0;
    "みなと通信株式会社" "minato-tsushin" Apac "JP" "Asia/Tokyo" "gold" "en" "JPY" Large Overdue [(UC, 4), (CC, 3)], 0;
    "さくら電源株式会社" "sakura-dengen" Apac "JP" "Asia/Tokyo" "silver" "en" "JPY" Medium Average [(UP, 4)], 0;
    "Merlion Secure Pte. Ltd." "merlion-secure" Apac "SG" "Asia/Singapore" "gold" "en" "SGD" Large Average [(SE, 5)], 0;
    "Straits & Harbour Video Pte. Ltd." "straits-harbour" Apac "SG" "Asia/Singapore" "silver" "en" "SGD" Medium CriticalOpen [(VC, 4)], 0;
    "翡翠监控技术有限公司" "feicui-watch" Apac "CN" "Asia/Shanghai" "silver" "zh" "CNY" Medium Improving [(IV, 4)], 0;
    "Lion Rock Optical Pte. Ltd." "lionrock" Apac "SG" "Asia/Singapore" "silver" "en" "SGD" Medium Average [(TR, 4)], 0;
    "北斗存储有限公司" "beidou-storage" Apac "CN" "Asia/Shanghai" "authorized" "zh" "CNY" Medium Declining [(SS, 3)], 0;
    "Kaze Wireless 合同会社" "kaze-wireless" Apac "JP" "Asia/Tokyo" "authorized" "en" "JPY" Small New [(WL, 3)], 0;
    "Tanjong Tiny Tech Pte. Ltd." "tanjong-tiny" Apac "SG" "Asia/Singapore" "authorized" "en" "SGD" Small Tiny [(CL, 3)], 0;
    "Orchid Contact Centres Pte. Ltd." "orchid-contact" Apac "SG" "Asia/Singapore" "authorized" "en" "SGD" Small Average [(CC, 3)], 20;
    "长风交换设备有限公司" "changfeng" Apac "CN" "Asia/Shanghai" "silver" "zh" "CNY" Medium YellowLine [(RS, 4)], 0;
    "Andes Redes SpA" "andes-redes" Latam "CL" "America/Santiago" "gold" "es" "CLP" Large Good [(RS, 5)], 0;
    "Ñandú Telecomunicaciones Ltda." "nandu-telecom" Latam "CL" "America/Santiago" "silver" "es" "CLP" Medium Average [(TR, 4)], 0;
    "Pacífico Nube S.A." "pacifico-nube" Latam "CL" "America/Santiago" "silver" "es" "CLP" Medium Appeals [(CL, 4)], 0;
    "São Jorge Integração Ltda." "sao-jorge" Latam "BR" "America/Sao_Paulo" "gold" "pt" "BRL" Large Average [(UC, 5), (VC, 3)], 0;
    "Ipê Amarelo Segurança S.A." "ipe-amarelo" Latam "BR" "America/Sao_Paulo" "silver" "pt" "BRL" Medium Declining [(SE, 3)], 0;
    "Câmera Viva Monitoramento Ltda." "camera-viva" Latam "BR" "America/Sao_Paulo" "silver" "pt" "BRL" Medium Average [(IV, 4)], 0;
    "Equador Dados Integrados S.A." "equador-dados" Latam "EC" "America/Guayaquil" "silver" "es" "USD" Medium Improving [(SS, 4)], 0;
    "Canal Bridge Systems Inc." "canal-bridge" Latam "PA" "America/Panama" "vap" "en" "USD" Medium Average [(WL, 4), (NW, 3)], 0;
    "Quetzal Energía S.A." "quetzal-energia" Latam "SV" "America/El_Salvador" "authorized" "es" "USD" Small Average [(UP, 3)], 0;
    "Colibrí Contacto S.A." "colibri-contacto" Latam "EC" "America/Guayaquil" "authorized" "es" "USD" Small Merged [(CC, 3)], 35;
    "Tres Volcanes TI E.I.R.L." "tres-volcanes" Latam "CL" "America/Santiago" "authorized" "es" "CLP" Small Uncertified [(WL, 0)], 0;
    "Lagoa Serena Telecom Ltda." "lagoa-serena" Latam "BR" "America/Sao_Paulo" "authorized" "pt" "BRL" Small New [(RS, 3)], 0;
};

/// Product domains with the letters of their products, and the domain that spans some of them.
pub(super) const DOMAINS: [(&str, &str, &str, &str); 12] = [
    (NW, "NW", "Networking", ""),
    (RS, "RS", "Routing & Switching", NW),
    (WL, "WL", "Wireless LAN", NW),
    (SE, "SE", "Security", NW),
    (TR, "TR", "Transmission", NW),
    (UC, "UC", "Unified Communications", ""),
    (VC, "VC", "Video Conferencing", ""),
    (IV, "IV", "Intelligent Video Surveillance", ""),
    (CC, "CC", "Call Center", ""),
    (CL, "CL", "Cloud", ""),
    (SS, "SS", "Server & Storage", ""),
    (UP, "UP", "UPS", ""),
];
