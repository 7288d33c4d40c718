//! Numbers that belong to a person or an account: checked by their own check digit
//! where they have one, and by the words beside them where they have none.

use super::rule::{Hit, Needs, Rule};

const CARD: &str = "the number of a payment card stands here";
const NUMBER: &str = "a number by which the state or a bank knows a person stands here";
const ABOUT: &str = "a fact about a person stands here";

const fn number(
    id: &'static str,
    cues: &'static [&'static str],
    pattern: &'static str,
    check: fn(&Hit<'_>) -> bool,
) -> Rule {
    Rule { id, family: "person", needs: Needs::Nothing, why: NUMBER, cues, pattern, check }
}

const fn card(pattern: &'static str, check: fn(&Hit<'_>) -> bool) -> Rule {
    let (id, family) = ("payment_card", "person");
    Rule { id, family, needs: Needs::Nothing, why: CARD, cues: &[], pattern, check }
}

/// Numbers and facts of persons.
pub(super) const IDENTITY: &[Rule] = &[
    card(r"(?:^|[^\w.+#/-])(?P<v>(?:\d[ -]?){12,18}\d)(?:[^\w-]|$)", is_card),
    // Behind it there may be more digits: when it expires, its code, what is paid.
    card(
        r"(?:^|[^\w.+#/-])(?P<v>\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{4}|\d{4}[ -]\d{6}[ -]\d{5}|\d{15,16})(?:[^\w-]|$)",
        |hit| is_card(hit) && !is_in_a_row(hit),
    ),
    number(
        "my_number",
        &[
            "マイナンバー",
            "個人番号",
            "my number",
            "mynumber",
            "my_number",
            "individual number",
            "個人no",
            "マイナ",
        ],
        r"(?:マイナンバー?|個人番号|my[ _-]?number|individual number|個人No)[^\n]{0,60}?(?:^|[^\d-])(?P<v>\d{4}[ -]?\d{4}[ -]?\d{4})(?:[^\d-]|$)",
        |hit| is_my_number(hit.value()),
    ),
    number(
        "my_number",
        &["my_number", "mynumber", "マイナンバー", "個人番号"],
        r"(?:^|[^\w.+/-])(?P<v>\d{4}[ -]?\d{4}[ -]?\d{4})(?:[^\w-]|$)",
        |hit| is_my_number(hit.value()),
    ),
    number(
        "passport",
        &["passport", "旅券", "パスポート"],
        r"(?:^|[,|\t ])(?P<v>(?-i:[A-Z]{1,2}\d{7}))(?:[,|\t \n]|$)",
        is_id,
    ),
    number(
        "my_number",
        &[],
        r"(?:^|[^\w.+/-])(?P<v>\d{4}([ -])\d{4}[ -]\d{4})(?:[^\w -]|[ -](?:[^\d]|$)|$)",
        |hit| is_my_number(hit.value()) && !is_grouped_card(hit) && !is_of_things(hit),
    ),
    number(
        "my_number",
        &["氏名", "社員", "従業員", "扶養", "入社日", "被保険者", "源泉徴収", "年末調整"],
        r"(?:^|[^\w.+/-])(?P<v>\d{12})(?:[^\w-]|$)",
        |hit| is_my_number(hit.value()) && !is_of_things(hit),
    ),
    number(
        "residence_card",
        &["在留", "技能実習", "特定技能", "永住", "residence card", "技人国", "留学生"],
        r"(?:^|[^\w-])(?P<v>(?-i:[A-Z]{2}\d{8}[A-Z]{2}))(?:[^\w-]|$)",
        is_id,
    ),
    number(
        "resident_registration",
        &["주민등록", "외국인등록", "resident registration", "rrn"],
        r"(?:^|[^\d-])(?P<v>\d{6}-[1-8]\d{6})(?:[^\d-]|$)",
        |_| true,
    ),
    number("hl7_record", &["pid|"], r"^PID\|[^\n]{12,}", |_| true),
    number(
        "iban",
        &[],
        r"(?:^|[^\w])(?P<v>(?-i:[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?))(?:[^\w]|$)",
        |hit| {
            is_iban(hit.value()) && !(is_printed_iban(hit.value()) && is_spoken_of(&hit.around(60)))
        },
    ),
    number(
        "ssn",
        &[
            "ssn",
            "social security",
            "soc sec",
            "social-security",
            "tax id",
            "taxpayer",
            "itin",
            "social:",
        ],
        r"(?:\bssn\b|social[ -]?security|soc\.? ?sec|\bsocial\b|tax(?:payer)? id|\bitin\b)[^\n]{0,60}?(?:^|[^\d-])(?P<v>\d{3}[ -]?\d{2}[ -]?\d{4})(?:[^\d-]|$)",
        is_ssn,
    ),
    number(
        "ssn",
        &[
            "employee",
            "patient",
            "applicant",
            "name",
            "dob",
            "birth",
            "customer",
            "taxpayer",
            "payroll",
            "ssn",
            "social",
        ],
        r"(?:^|[^\w-])(?P<v>\d{3}-\d{2}-\d{4})(?:[^\w-]|$)",
        is_ssn,
    ),
    number(
        "national_id",
        &[
            "national insurance",
            "nino",
            "nhs",
            "ni number",
            "aadhaar",
            "aadhar",
            "pan card",
            "pan number",
            "sin",
            "tfn",
            "tax file",
            "medicare",
            "social insurance",
            "codice fiscale",
            "nie",
            "dni",
            "bsn",
            "personnummer",
            "rrn",
            "resident registration",
            "cpf",
            "cnpj",
            "curp",
            "steuer",
            "insee",
            "npi",
            "dea number",
            "身份证",
            "resident card",
            "在留カード",
            "tax identification",
            "tin",
        ],
        r"\b(?:national insurance|nino|ni (?:number|no)|nhs(?: (?:number|no))?|aadhaa?r|pan(?: card| number| no)|social insurance|\bsin\b|tfn|tax file(?: number)?|medicare|codice fiscale|\bnie\b|\bdni\b|\bbsn\b|personnummer|\brrn\b|resident registration|\bcpf\b|curp|steuer(?:-?id|nummer)?|insee|\bnpi\b|dea number|身份证(?:号)?|resident card|在留カード(?:番号)?|tax identification)\b?[^\n\d]{0,40}?(?P<v>[A-Z]{0,5}[ ]?\d[\d A-Z./-]{6,20}[\dA-Z])",
        is_id,
    ),
    number(
        "passport",
        &["passport", "旅券", "パスポート"],
        r"(?:passport|旅券|パスポート)(?:[ ]?(?:no\.?|number|num|#|id)|番号)?[^\n]{0,30}?(?:^|[^A-Z0-9])(?P<v>[A-Z]{1,2}[ ]?\d{6,8}|\d{9})(?:[^A-Z0-9]|$)",
        is_id,
    ),
    number(
        "driving_licence",
        &["driv", "licen", "免許", "dl#", "dl no"],
        r"(?:driv(?:er|ing)(?:'?s)?[ -]?licen[cs]e|\bDL[ ]?(?:#|no\.?|number)|運転免許(?:証)?(?:の)?(?:番号)?|免許証?番号)[^\n]{0,30}?(?:^|[^A-Z0-9])(?P<v>[A-Z]{0,5}\d[\dA-Z -]{5,18}[\dA-Z])",
        is_id,
    ),
    number(
        "japanese_id",
        &[
            "保険",
            "年金",
            "口座",
            "番号",
            "記号",
            "免許",
            "住民票",
            "診察券",
            "カルテ",
            "患者",
            "雇用保険",
            "被保険者",
            "社員番号",
            "基礎年金",
        ],
        r"(?:健康保険(?:証)?|保険証|証券番号|会員番号|学籍番号|受験番号|被保険者(?:証)?|雇用保険|基礎年金|年金(?:手帳|証書)?|住民票(?:コード)?|診察券|カルテ|患者(?:ID|番号)|後期高齢者医療|介護保険|障害者手帳|在留カード)(?:の)?(?:記号|番号|No\.?|ID|コード)*[^\n\d]{0,16}(?P<v>[A-Z]{0,3}\d[\d-]{3,16})",
        |hit| hit.value().bytes().filter(u8::is_ascii_digit).count() >= 5,
    ),
    number(
        "recovery_key",
        &["bitlocker", "recovery key", "回復キー", "filevault"],
        r"(?:^|[^\d-])(?P<v>\d{6}(?:-\d{6}){5,7})(?:[^\d-]|$)",
        |_| true,
    ),
    number(
        "bank_account",
        &["account", "routing", "sort code", "swift", "bic", "aba", "acct", "口座", "支店", "銀行"],
        r"(?:\b(?:bank |checking |savings |current |payroll )?(?:account|acct|a/c)(?:[ ]?(?:no\.?|number|num|#))?[ ]*(?:is|:|=|#)?[ ]*(?P<v>\d[\d -]{5,16}\d)\b[^\n]*?\b(?:routing|aba|sort[ -]?code|swift|bic|bsb|transit|ifsc)\b|\b(?:routing|aba|sort[ -]?code|bsb|transit|ifsc)\b[^\n]{0,30}?\d[\d -]{4,12}[^\n]*?(?:\baccount|\bacct|a/c)[^\n\d]{0,30}(?P<w>\d[\d -]{4,16}\d)|\b(?:bank|checking|savings|payroll)[ ]account(?: (?:number|no\.?|#))?[ ]*(?:is|:|=|#)?[ ]*(?P<x>\d[\d -]{5,16}\d)|(?:口座番号|(?:普通|当座|貯蓄)(?:預金|口座)?)[\x22\x27 　:はNo.「,|]{0,8}(?P<y>\d{6,8})(?:[^\d]|$)|(?:銀行|信用金庫|信金|農協|ゆうちょ)[^\n]{0,40}?(?:支店|店番|本店|記号|番号)[^\n]{0,30}?(?P<z>\d{6,8})(?:[^\d]|$))",
        |hit| hit.matched().bytes().filter(u8::is_ascii_digit).count() >= 6,
    ),
    number(
        "medical_record",
        &[
            "mrn",
            "medical record",
            "patient",
            "chart",
            "diagnos",
            "health insurance",
            "insurance id",
            "member id",
            "policy number",
        ],
        r"(?:\bMRN\b|medical record(?: (?:number|no\.?|#))?|patient (?:id|no\.?|number|#)|chart (?:no\.?|number|#)|health (?:insurance|plan)(?: (?:id|number|no\.?|policy))?|insurance (?:id|member|policy)(?: (?:number|no\.?|#))?|medicare (?:id|number))[ \t]*(?:is|:|=|#|-)?[ \t]*(?P<v>[A-Z]{0,4}-?\d[\dA-Z-]{4,15})",
        is_id,
    ),
    Rule {
        id: "card_details",
        family: "person",
        needs: Needs::Nothing,
        why: CARD,
        cues: &[
            "cvv",
            "cvc",
            "cvv2",
            "セキュリティコード",
            "security code",
            "有効期限",
            "expir",
            "exp ",
        ],
        pattern: r"(?:\b(?:cvv2?|cvc2?|csc|card security code|security code)\b|セキュリティコード)[ \t\x22']*(?:is|:|=|は)?[ \t\x22']*(?P<v>\d{3,4})\b",
        check: |hit| !matches!(hit.value(), "123" | "1234" | "000" | "111" | "999" | "737"),
    },
    Rule {
        id: "birth_date",
        family: "person",
        needs: Needs::Nothing,
        why: ABOUT,
        cues: &["birth", "dob", "born", "生年月日", "誕生日", "生まれ"],
        pattern: r"(?:@NAME@[^\n]{0,60}?(?:\bdob\b|date of birth|born(?: on)?|birth ?da(?:te|y))[^\n\d]{0,12}(?P<v>@DATE@)|(?:\bdob\b|date of birth|birth ?date)[\x22']?[ \t]*[:=]?[ \t]*[\x22']?(?P<w>@DATE@)|生年月日[ 　\t:はが=|「\x22]{0,8}(?P<x>@DATE@)|(?P<y>@DATE@)(?:[ ]?生まれ|生))",
        check: is_birth,
    },
    Rule {
        id: "salary",
        family: "person",
        needs: Needs::Nothing,
        why: ABOUT,
        cues: &[
            "salary",
            "compensation",
            "base pay",
            "earns",
            "is paid",
            "wage",
            "bonus",
            "年収",
            "給与",
            "月給",
            "賞与",
            "基本給",
            "報酬",
            "pay raise",
            "severance",
            "payroll",
        ],
        pattern: r"(?:@NAME@[^\n]*?\b(?:salary|compensation|base pay|earns|is paid|makes|wage|bonus|pay|severance)\b[^\n\d]{0,40}(?P<v>[$€£¥]?[ ]?\d[\d,.]{2,12}[ ]?[kKmM]?)|\b(?:salary|compensation|base pay|wage|bonus|pay rise|pay raise|severance)\b[^\n]{0,30}?\b(?:of|for|to)[ ]+@NAME@[^\n\d]{0,40}(?P<w>[$€£¥]?[ ]?\d[\d,.]{2,12}[ ]?[kKmM]?)|(?:[\p{Han}\p{Katakana}]{1,6}[ 　]?[\p{Han}\p{Katakana}\p{Hiragana}]{0,5}[ 　]?(?:さん|氏|様|君|部長|課長|社員|主任|係長)?(?:の|は|、|:|の今年の|の現在の))[^\n\d]{0,16}(?:年収|給与|月給|賞与|基本給|報酬|ボーナス)[^\n\d]{0,16}(?P<x>[¥￥]?\d[\d,.]{1,12}[ ]?(?:万|千)?円?))",
        check: is_salary,
    },
    Rule {
        id: "health",
        family: "person",
        needs: Needs::Nothing,
        why: ABOUT,
        cues: &[
            "diagnos",
            "prescri",
            "hiv",
            "patient",
            "treated for",
            "suffers",
            "depression",
            "cancer",
            "pregnan",
            "診断",
            "患者",
            "病名",
            "処方",
            "既往",
            "通院",
            "罹患",
            "休職",
            "症状",
            "検査結果",
            "入院",
            "服薬",
        ],
        pattern: r"(?:@NAME@[^\n]*?\b(?:diagnosed with|diagnosis|was treated for|is being treated|suffers from|tested positive|was prescribed|is prescribed|prescription|is pregnant|on medical leave|has (?:type \d |stage \w+ )?(?:diabetes|cancer|hiv|depression|hepatitis|epilepsy|leukemia|hypertension|asthma|schizophrenia))|\bpatient:?[ ]+@NAME@|\bpatient\b[^\n]{0,40}\b(?:aged?|is|,)[ ]*\d{1,3}\b[^\n]*\b(?:diagnos\w+|presents? with|history of|prescribed|admitted)|(?:患者|氏名|名前)[ 　:はの、]{1,3}[\p{Han}\p{Katakana}\p{Hiragana}]{2,8}[^\n]{0,60}(?:診断|病名|処方|既往|罹患|症状|入院|検査結果)|[\p{Han}]{1,4}[ 　]?[\p{Han}\p{Hiragana}\p{Katakana}]{1,5}(?:さん|様|氏)(?:は|が|の)[^\n。]{0,30}(?:と診断|を処方|の病名|罹患|うつ病|がん|癌|糖尿病|HIV|通院|休職|入院|妊娠))",
        check: is_about_somebody,
    },
    Rule {
        id: "home_address",
        family: "person",
        needs: Needs::Nothing,
        why: ABOUT,
        cues: &[
            "address",
            "lives at",
            "residing",
            "home:",
            "住所",
            "自宅",
            "在住",
            "phone",
            "電話",
            "携帯",
            "住んで",
        ],
        pattern: r"(?:@NAME@[^\n]*?\b(?:lives at|residing at|resides at|home address|address)\b[^\n\d]{0,24}(?P<v>\d{1,5}[ ][A-Z][\w .'-]{2,40})|(?:home|residential|mailing|shipping|billing|street) address[\x22']?[ \t]*[:=]?[ \t]*[\x22']?(?P<w>\d{1,5}[ ][A-Z][\w .'-]{2,40}(?:street|st\b|avenue|ave\b|road|rd\b|lane|ln\b|drive|dr\b|court|ct\b|boulevard|blvd|way|close|place|terrace|crescent)[^\n]{0,30})|(?:自宅|現住所|住所|お住まい|ご住所|届け先|送付先)(?:は|:|=|が|の)?[ 　\x22「]{0,4}(?:〒?[ ]?\d{3}-?\d{4}[ 　]{0,2})?(?P<x>(?:東京都|北海道|(?:京都|大阪)府|[\p{Han}]{2,3}県)?[\p{Han}\p{Katakana}\p{Hiragana}]{1,10}[市区町村郡][^\n]{0,24}?\d{1,4}(?:丁目|番|-|ー)[^\n]{0,12}))",
        check: |hit| !hit.around(60).contains("example street"),
    },
];

/// Card numbers that the card firms and payment services print for tests.
const TEST_CARDS: &[&str] = &[
    "4111111111111111",
    "4242424242424242",
    "4012888888881881",
    "4000056655665556",
    "5555555555554444",
    "2223003122003222",
    "5200828282828210",
    "5105105105105100",
    "378282246310005",
    "371449635398431",
    "6011111111111117",
    "6011000990139424",
    "6011981111111113",
    "3056930009020004",
    "36227206271667",
    "3566002020360505",
    "6200000000000005",
    "38520000023237",
    "30569309025904",
    "4000000000000002",
    "4000000000009995",
    "4000002500003155",
    "4000000000003220",
    "4000000000000077",
    "4000000000000341",
    "4000000000000069",
    "4000000000000127",
    "4000000000000119",
    "4000002760003184",
    "4222222222222",
    "5019717010103742",
    "6331101999990016",
    "4917610000000000",
    "3530111333300000",
    "378734493671000",
    "4000000000000101",
    "4007000000027",
    "4012888818888",
    "370000000000002",
    "6011000000000012",
    "5424000000000015",
    "4005519200000004",
    "4009348888881881",
    "4500600000000061",
    "2223000048400011",
    "5431111111111111",
    "4000001240000000",
    "4000003920000003",
    "4000000760000002",
    "5454545454545454",
    "4444333322221111",
    "4917484589897107",
    "4444444444444448",
];

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn is_card(hit: &Hit<'_>) -> bool {
    const CUES: &[&str] = &[
        "card",
        "visa",
        "master",
        "amex",
        "credit",
        "debit",
        "pan",
        "payment",
        "カード",
        "jcb",
        "クレジット",
        "cvv",
        "決済",
        "expir",
        "有効期限",
        "billing",
        "charge",
    ];
    let shown = hit.value();
    let number = digits(shown);
    if !luhn(&number) || TEST_CARDS.contains(&number.as_str()) || is_round(&number) {
        return false;
    }
    let grouped = shown.contains([' ', '-']);
    let brand = is_branded(&number);
    let around = hit.around(80);
    let cue = CUES.iter().any(|cue| around.contains(cue));
    let usual = (number.len() == 16 || (number.len() == 15 && number.starts_with("3"))) && brand;
    let neat = !grouped || is_neatly_grouped(shown);
    let listed = hit.before(2).ends_with(['.', '-'])
        || hit.after(1).starts_with('.') && hit.after(2).ends_with(|c: char| c.is_ascii_digit());
    usual && neat && !listed || cue && brand && (13..=19).contains(&number.len()) && neat
}

/// Whether more groups of as many digits stand before or behind it, as in a column of figures or of
/// the numbers of signs.
fn is_in_a_row(hit: &Hit<'_>) -> bool {
    let last = hit.value().rsplit([' ', '-']).next().map_or(0, str::len);
    let group = |text: &str| text.bytes().take_while(u8::is_ascii_hexdigit).count();
    let behind = hit.after(20).trim_start_matches([' ', '-']);
    let before: String = hit.before(20).trim_end_matches([' ', '-']).chars().rev().collect();
    let is_slash = behind.as_bytes().get(group(behind)) == Some(&b'/');
    group(behind) == last && !is_slash || group(&before) == last
}

/// Groups of four, or of four, six and five.
fn is_neatly_grouped(shown: &str) -> bool {
    let groups: Vec<usize> = shown.split([' ', '-']).map(str::len).collect();
    groups == [4, 4, 4, 4]
        || groups == [4, 6, 5]
        || groups == [4, 6, 4]
        || groups.iter().all(|n| *n == 1)
        || groups == [4, 4, 4, 4, 3]
        || groups == [4, 4, 4, 1]
}

fn is_branded(number: &str) -> bool {
    let head = |n: usize| number.get(..n).and_then(|head| head.parse::<u32>().ok()).unwrap_or(0);
    let (two, three, four) = (head(2), head(3), head(4));
    number.starts_with('4')
        || (51..=55).contains(&two)
        || (2221..=2720).contains(&four)
        || matches!(two, 34 | 36 | 37 | 38 | 39 | 62 | 65)
        || four == 6011
        || (644..=649).contains(&three)
        || (300..=305).contains(&three)
        || (3528..=3589).contains(&four)
        || matches!(two, 50 | 56 | 57 | 58 | 63 | 67)
}

fn luhn(number: &str) -> bool {
    let sum: u32 = number
        .bytes()
        .rev()
        .enumerate()
        .map(|(n, b)| {
            let digit = u32::from(b - b'0') * (1 + n as u32 % 2);
            digit / 10 + digit % 10
        })
        .sum();
    sum.is_multiple_of(10) && number.len() >= 12
}

/// `0000…`, `1111…`: no card is numbered so.
fn is_round(number: &str) -> bool {
    let mut seen: Vec<u8> = number.bytes().collect();
    seen.sort_unstable();
    seen.dedup();
    seen.len() < 3
}

/// Whether twelve digits have the check digit of a マイナンバー.
fn is_my_number(shown: &str) -> bool {
    let number: Vec<u32> =
        shown.bytes().filter(u8::is_ascii_digit).map(|b| u32::from(b - b'0')).collect();
    if number.len() != 12 || is_round(&digits(shown)) {
        return false;
    }
    let sum: u32 =
        (1..=11u32).map(|n| number[(11 - n) as usize] * if n <= 6 { n + 1 } else { n - 5 }).sum();
    let check = match sum % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    number[11] == check
}

/// Whether the words before a number say that things are counted with it.
fn is_of_things(hit: &Hit<'_>) -> bool {
    let before = hit.before(24).to_lowercase();
    [
        "part",
        "order",
        "sku",
        "serial",
        "tracking",
        "item",
        "lot",
        "model",
        "isbn",
        "伝票",
        "注文",
        "追跡",
        "型番",
        "問い合わせ",
        "問合せ",
        "お問",
        "invoice",
        "ticket",
        "ref",
        "荷物",
        "送り状",
        "product",
    ]
    .iter()
    .any(|word| before.contains(word))
}

/// Whether the group stands in a longer row of groups of four.
fn is_grouped_card(hit: &Hit<'_>) -> bool {
    let before = hit.before(6);
    let after = hit.after(6);
    before.trim_end_matches([' ', '-']).ends_with(|c: char| c.is_ascii_digit())
        || after.trim_start_matches([' ', '-']).starts_with(|c: char| c.is_ascii_digit())
}

fn is_iban(shown: &str) -> bool {
    const COUNTRIES: &str = "AD AE AL AT AZ BA BE BG BH BR BY CH CR CY CZ DE DK DO EE EG ES FI FO FR GB GE GI GL GR GT HR HU IE IL IQ IS IT JO KW KZ LB LC LI LT LU LV LY MC MD ME MK MR MT MU NL NO PK PL PS PT QA RO RS SA SC SD SE SI SK SM ST SV TL TN TR UA VA VG XK";
    let clean: String = shown.chars().filter(char::is_ascii_alphanumeric).collect();
    let known =
        clean.get(..2).is_some_and(|country| COUNTRIES.split(' ').any(|other| other == country));
    if !(15..=34).contains(&clean.len()) || !known {
        return false;
    }
    let mut rest = 0u32;
    for c in clean[4..].chars().chain(clean[..4].chars()) {
        let value = c.to_digit(36).unwrap_or(0);
        rest = if value > 9 { (rest * 100 + value) % 97 } else { (rest * 10 + value) % 97 };
    }
    rest == 1
}

/// Whether the talk is of numbers as such: how they are checked, what they look like.
fn is_spoken_of(around: &str) -> bool {
    [
        "format",
        "regex",
        "pattern",
        "validat",
        "mask",
        "redact",
        "example",
        "standard",
        "famous",
        "sample",
        "check digit",
        "checksum",
        "never-valid",
        "例",
        "検証",
        "形式",
        "アルゴリズム",
        "テスト",
        "test",
    ]
    .iter()
    .any(|word| around.contains(word))
}

/// The account numbers that the standard and its readers print.
fn is_printed_iban(shown: &str) -> bool {
    let clean: String = shown.chars().filter(char::is_ascii_alphanumeric).collect();
    [
        "GB82WEST12345698765432",
        "DE89370400440532013000",
        "GB29NWBK60161331926819",
        "FR1420041010050500013M02606",
        "NL91ABNA0417164300",
        "CH9300762011623852957",
        "BE68539007547034",
        "ES9121000418450200051332",
        "IT60X0542811101000000123456",
    ]
    .contains(&clean.as_str())
}

fn is_ssn(hit: &Hit<'_>) -> bool {
    let number = digits(hit.value());
    let area = &number[..3];
    let possible = number.len() == 9
        && area != "000"
        && area != "666"
        && !is_round(&number)
        && &number[3..5] != "00"
        && &number[5..] != "0000";
    let lower = hit.around(50);
    let spoken = is_spoken_of(&lower);
    let printed = matches!(number.as_str(), "123456789" | "078051120" | "219099999" | "987654321");
    possible && !(spoken && printed)
}

fn is_id(hit: &Hit<'_>) -> bool {
    let digits = hit.value().bytes().filter(u8::is_ascii_digit).count();
    let lower = hit.around(40);
    digits >= 6
        && !digits_row(hit.value())
        && !["regex", "validat", "format of"].iter().any(|word| lower.contains(word))
}

fn digits_row(value: &str) -> bool {
    let number = digits(value);
    is_round(&number)
}

fn is_birth(hit: &Hit<'_>) -> bool {
    let lower = hit.around(40);
    !["format", "regex", "validate", "yyyy", "parse"].iter().any(|word| lower.contains(word))
}

fn is_salary(hit: &Hit<'_>) -> bool {
    let lower = hit.matched().to_lowercase();
    hit.matched().bytes().filter(u8::is_ascii_digit).count() >= 2
        && !lower.contains("average")
        && !lower.contains("平均")
}

fn is_about_somebody(hit: &Hit<'_>) -> bool {
    let lower = hit.matched().to_lowercase();
    ![
        "patient portal",
        "patient data",
        "patient record",
        "patient service",
        "patient safety",
        "患者さん向け",
        "患者様向け",
    ]
    .iter()
    .any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_those_of_the_standards() {
        assert!(luhn("4111111111111111") && !luhn("4111111111111112"));
        assert!(is_my_number("1234 5678 9018") && !is_my_number("1234 5678 9012"));
        assert!(is_iban("GB82 WEST 1234 5698 7654 32") && !is_iban("GB83 WEST 1234 5698 7654 32"));
    }

    #[test]
    fn numbers_of_cards_and_registers_are_found_near_their_words() {
        let found = |text: &str| super::super::rules::finds(IDENTITY, text);
        let number = format!("{}{}", "1234567", "89018");
        for text in [
            format!("氏名: 辻村, 番号: {number}"),
            "在留の更新: グエン GG13577905FJ 2026/9/14まで".to_owned(),
            "주민등록번호 640215-2245107".to_owned(),
        ] {
            assert!(found(&text), "{text}");
        }
        assert!(!found("氏名 辻村、注文 123456789012") && !found("part GG13577905FJ"));
    }

    #[test]
    fn brands_are_known_by_their_first_digits() {
        for number in ["4", "5111", "2221", "3782", "6011", "3528"] {
            assert!(is_branded(&format!("{number}000000000000")), "{number}");
        }
        assert!(!is_branded("1234567890123456"));
    }
}
