//! Words for the things that columns are called after, in the languages of those who send files.
//!
//! Duty: the list, and taking a name apart into meanings. Must not: know a feed or a column; a name is only ever
//! compared with the names of a contract.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A meaning, and the words for it without accents. German, Spanish, Portuguese, French, Italian, Dutch, Chinese,
/// Japanese.
const WORDS: [(&str, &str); 78] = [
    (
        "id",
        "id ids ident nummer nr no num number numero code codigo key ref clave chave cle 编号 号 番号 コード",
    ),
    (
        "date",
        "date on at day datum am tag fecha data dia jour time zeit hora heure uhrzeit zeitpunkt 日期 时间 日付 日時",
    ),
    (
        "partner",
        "partner haendler handler vertriebspartner socio parceiro partenaire reseller dealer 合作伙伴 伙伴 パートナー",
    ),
    ("parent", "parent mutter padre pai 上级"),
    ("customer", "customer client kunde kunden cliente klant cust 客户 顧客"),
    (
        "delivery",
        "delivery deliveries lieferung lieferungs entrega livraison consegna levering 交付 納品",
    ),
    ("survey", "survey umfrage befragung encuesta pesquisa enquete 调查"),
    (
        "inspection",
        "inspection inspektion pruefung prufung inspeccion inspecao 检查",
    ),
    (
        "product",
        "product produkt artikel item producto produto produit prodotto sku 产品 製品",
    ),
    ("domain", "domain bereich dominio domaine 领域"),
    ("region", "region regiao gebiet regione 区域 地区 地域"),
    ("country", "country land pais pays paese 国家 国"),
    (
        "currency",
        "currency waehrung wahrung moneda moeda devise valuta curr ccy 币种 货币 通貨",
    ),
    (
        "amount",
        "amount betrag importe monto valor montant importo bedrag amt sum summe 金额 金額",
    ),
    (
        "quantity",
        "quantity qty menge stueckzahl stuckzahl cantidad quantidade quantite quantita aantal pcs 数量",
    ),
    ("price", "price preis precio preco prix prezzo prijs 价格 価格"),
    ("rate", "rate satz quote tasa taxa taux tasso kurs 率"),
    (
        "discount",
        "discount rabatt nachlass descuento desconto remise sconto korting 折扣 割引",
    ),
    ("status", "status state zustand estado etat stato stand 状态 状態"),
    ("kind", "kind type art typ tipo sorte 类型 種類"),
    (
        "class",
        "class klasse clase classe categorie kategorie category categoria 类别",
    ),
    (
        "severity",
        "severity schwere schweregrad gravedad gravidade gravite prioritaet prioritat priority 严重",
    ),
    (
        "score",
        "score punkte punktzahl puntuacion pontuacao note points 分数 得点",
    ),
    ("rating", "rating bewertung valoracion avaliacao evaluation 评分 評価"),
    (
        "comment",
        "comment kommentar bemerkung anmerkung comentario observacao commentaire remark 备注 コメント",
    ),
    ("reason", "reason grund motivo raison begruendung begrundung 原因 理由"),
    ("name", "name bezeichnung nombre nome nom naam 名称 名前"),
    ("email", "email mail mailadresse correo courriel 邮箱 メール"),
    ("role", "role rolle rol papel 角色"),
    ("language", "language sprache idioma langue lingua taal 语言 言語"),
    ("zone", "zone zona fuso"),
    (
        "order",
        "order ordered auftrag auftrags bestellung bestell pedido commande ordine bestelling 订单 注文",
    ),
    ("line", "line position pos zeile linea linha ligne riga posten 行"),
    (
        "invoice",
        "invoice invoiced rechnung rechnungs factura fatura facture fattura factuur 发票 請求",
    ),
    ("list", "list listen liste lista 标价"),
    ("net", "net netto neto liquido 净"),
    ("gross", "gross brutto bruto brut lordo"),
    ("entity", "entity gesellschaft entidad entidade entite 实体"),
    ("selling", "selling verkaufs verkaufende vendedora venda vente"),
    ("sale", "sale sales verkauf venta vendas ventes 销售 販売"),
    ("original", "original ursprung ursprungs ursprungliche orig"),
    ("model", "model modell modelo modele modello 型号"),
    (
        "service",
        "service dienst dienstleistung leistung servicio servico 服务",
    ),
    ("paid", "paid bezahlt pagado pago paye zahlung payment pay 付款 支払"),
    (
        "open",
        "open opened eroeffnet eroffnet geoeffnet geoffnet abierto abierta aberto ouvert 打开",
    ),
    (
        "complete",
        "complete completed abgeschlossen fertig erledigt completado concluido termine 完成",
    ),
    ("close", "close closed geschlossen cerrado fechado ferme 关闭"),
    ("send", "send sent gesendet versendet enviado envoye"),
    ("answer", "answer answered beantwortet antwort respondido repondu"),
    (
        "ship",
        "ship shipped versandt versand ausgeliefert despachado expedie 发货 出荷",
    ),
    (
        "receive",
        "receive received erhalten eingang eingegangen recibido recebido recu 收到",
    ),
    (
        "return",
        "return returned rueckgabe ruckgabe zurueck zuruck retour devuelto devolvido retourne 退回",
    ),
    (
        "due",
        "due faellig fallig faelligkeit falligkeit vencimiento vencimento echeance 到期",
    ),
    ("part", "part teil teile ersatzteil parte pieza peca piece 部件"),
    ("serial", "serial serien serie seriennummer 序列"),
    ("valid", "valid gueltig gultig valido valida valable"),
    (
        "from",
        "from von ab desde de depuis seit start begin beginn inicio debut",
    ),
    ("to", "to until bis hasta ate jusqu end ende fin fim"),
    ("month", "month monat mes mois"),
    ("period", "period zeitraum quartal quarter periodo periode 期间"),
    ("level", "level stufe ebene nivel niveau livello 级别"),
    ("event", "event ereignis evento evenement 事件"),
    ("payment", "zahlungs 付款单"),
    ("claim", "claim antrag forderung reclamo reclamacion reclamation 索赔"),
    ("dispute", "dispute einspruch streit disputa litige"),
    ("proof", "proof nachweis beleg prueba prova preuve 证明"),
    ("evidence", "evidence beweis evidencia"),
    ("stars", "stars sterne estrellas estrelas etoiles 星级"),
    ("standard", "standard norm norma norme"),
    ("hours", "hours stunden horas heures 小时"),
    ("credits", "credits creditos guthaben"),
    (
        "engineer",
        "engineer techniker ingenieur ingeniero engenheiro technicien 工程师",
    ),
    ("site", "site standort sitio sede emplacement"),
    ("count", "count anzahl conteo contagem nombres"),
    ("first", "first erste erster primero primeira premier 首"),
    ("scale", "scale skala escala echelle"),
    ("target", "target ziel objetivo meta objectif 目标"),
    ("request", "request requested angefragt anfrage solicitado demande"),
];

/// Word to meaning.
static MEANINGS: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(|| {
    let words =
        |(meaning, words): &(&'static str, &'static str)| words.split(' ').map(|w| (w, *meaning)).collect::<Vec<_>>();
    WORDS.iter().flat_map(words).collect()
});

/// Longest name that is taken apart: the limit of an identifier is more than any column has.
const MAX_CHARS: usize = 128;

/// A name taken apart: its meanings in order, and its letters without case, accents and marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub meanings: Vec<String>,
    pub letters: Vec<char>,
}

impl Name {
    pub fn new(text: &str) -> Name {
        let text: String = text.chars().take(MAX_CHARS).collect();
        let meanings = tokens(&text).iter().flat_map(|token| meanings(token)).collect();
        Name {
            meanings,
            letters: letters(&text),
        }
    }
}

/// The letters and digits of a text without case, accents and marks.
pub fn letters(text: &str) -> Vec<char> {
    fold(text).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Words of a name: parted by marks and by capitals.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = vec![String::new()];
    let mut before = ' ';
    for c in text.chars() {
        let starts = !c.is_alphanumeric() || (c.is_uppercase() && before.is_lowercase());
        if starts {
            tokens.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(last) = tokens.last_mut()
        {
            last.push(c);
        }
        before = c;
    }
    tokens.retain(|t| !t.is_empty());
    tokens.iter().map(|t| fold(t)).collect()
}

/// Small letters without accents.
fn fold(text: &str) -> String {
    let plain = |c: char| match c {
        'á' | 'à' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ñ' => 'n',
        'ç' => 'c',
        c => c,
    };
    text.to_lowercase().replace('ß', "ss").chars().map(plain).collect()
}

fn meaning(word: &str) -> Option<&'static str> {
    MEANINGS.get(word).copied()
}

/// The meanings of a word; of a compound those of its parts; the word itself when nobody knows it.
fn meanings(token: &str) -> Vec<String> {
    if let Some(known) = meaning(token) {
        return vec![known.to_owned()];
    }
    let plural = token.strip_suffix('s').and_then(meaning);
    if let Some(known) = plural {
        return vec![known.to_owned()];
    }
    let parts = parted(token, 0);
    parts.map_or_else(
        || vec![token.to_owned()],
        |parts| parts.into_iter().map(str::to_owned).collect(),
    )
}

/// Most words of a compound.
const MAX_PARTS: usize = 4;

/// A compound as known words, the longest first, with an `s`, `n`, `en` or `er` between them.
fn parted(token: &str, depth: usize) -> Option<Vec<&'static str>> {
    if depth == MAX_PARTS {
        return None;
    }
    let ends = token.char_indices().map(|(at, c)| at + c.len_utf8());
    for end in ends.rev() {
        let (word, rest) = token.split_at(end);
        // short words of Latin letters stand in other words by chance
        if word.is_ascii() && word.len() < 4 && !(rest.is_empty() && depth > 0) {
            continue;
        }
        let Some(known) = meaning(word) else { continue };
        if rest.is_empty() || rest == "s" {
            return Some(vec![known]);
        }
        let tail = ["", "s", "n", "en", "er"]
            .iter()
            .find_map(|link| parted(rest.strip_prefix(link)?, depth + 1).filter(|_| *link != rest));
        if let Some(tail) = tail {
            return Some(std::iter::once(known).chain(tail).collect());
        }
    }
    None
}

/// How alike two names are, per thousand: by their meanings, or by their letters where those say more.
pub fn alike(a: &Name, b: &Name) -> u64 {
    by_meanings(a, b).max(by_letters(a, b))
}

/// Words such as `id` and `date` say little beside the thing that they belong to.
fn weight(meaning: &str) -> u64 {
    if matches!(meaning, "id" | "date" | "of" | "the") {
        1
    } else {
        4
    }
}

fn by_meanings(a: &Name, b: &Name) -> u64 {
    let total = |n: &Name| n.meanings.iter().map(|m| weight(m)).sum::<u64>();
    let mut rest: Vec<&String> = b.meanings.iter().collect();
    let mut common = 0;
    for meaning in &a.meanings {
        if let Some(at) = rest.iter().position(|m| *m == meaning) {
            rest.remove(at);
            common += weight(meaning);
        }
    }
    super::guess::per_mille(2 * common, total(a) + total(b))
}

fn by_letters(a: &Name, b: &Name) -> u64 {
    let longest = a.letters.len().max(b.letters.len());
    if a.letters.len().abs_diff(b.letters.len()) * 2 > longest {
        return 0;
    }
    let distance = strsim::generic_levenshtein(&a.letters, &b.letters);
    // letters alone never say as much as meanings
    super::guess::per_mille((longest - distance.min(longest)) as u64, longest as u64) * 95 / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(name: &str) -> String {
        Name::new(name).meanings.join(" ")
    }

    #[test]
    fn names_are_taken_apart() {
        assert_eq!(parts("order_line_id"), "order line id");
        assert_eq!(parts("Auftragsposition"), "order line");
        assert_eq!(parts("Auftragspositions-Nr"), "order line id");
        assert_eq!(parts("OrderLineNo"), "order line id");
        assert_eq!(parts("Listenbetrag"), "list amount");
        assert_eq!(parts("Währung"), "currency");
        assert_eq!(parts("RECHNUNGSDATUM"), "invoice date");
        assert_eq!(parts("订单编号"), "order id");
        assert_eq!(parts("Kundennummer"), "customer id");
        assert_eq!(parts("flurbel"), "flurbel");
        assert_eq!(parts(""), "");
    }

    #[test]
    fn names_are_compared() {
        let alike = |a: &str, b: &str| alike(&Name::new(a), &Name::new(b));
        assert_eq!(alike("Menge", "quantity"), 1000);
        assert_eq!(alike("Partner", "partner_id"), 888);
        assert_eq!(alike("Auftragsposition", "order_line_id"), 941);
        assert!(alike("quantitiy", "quantity") > 800);
        assert!(alike("Partner", "parent_partner_id") < 700);
        assert!(alike("flurbel", "currency") < 400);
    }

    #[test]
    fn words_have_no_accents_and_stand_once() {
        let mut seen = std::collections::BTreeSet::new();
        for (_, words) in WORDS {
            for word in words.split(' ') {
                assert_eq!(word, fold(word));
                assert!(seen.insert(word), "{word} stands twice");
            }
        }
    }
}
