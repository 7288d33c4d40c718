//! Lists of people: rows and records that put names beside ways to reach them.
//!
//! One address in a text is none of our business; a name with an address and a
//! telephone number is a record, and two rows of such are a list.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::blocks::stretches;
use super::cues::{Cues, Stands};
use super::expression::{Expression, compile};
use super::rule::Found;

/// How many lines one record may take.
const RECORD_LINES: usize = 8;

/// The sorts of things that are said of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Mail,
    Phone,
    Address,
    Birth,
    Name,
    Money,
    Health,
}

/// What a row says of somebody, and how that is written; it is made ready when it is first wanted.
struct Saying {
    sort: Sort,
    written: Expression,
}

static SORTS_READY: LazyLock<Vec<Saying>> = LazyLock::new(|| ready(SORTS));
static LABELLED_READY: LazyLock<Vec<Saying>> = LazyLock::new(|| ready(LABELLED));

fn ready(all: &[(Sort, &'static str)]) -> Vec<Saying> {
    let saying = |(sort, text): &(Sort, &'static str)| Saying {
        sort: *sort,
        written: Expression::new(text),
    };
    all.iter().map(saying).collect()
}

const SORTS: &[(Sort, &str)] = &[
    (Sort::Mail, r"@EMAIL@"),
    (
        Sort::Phone,
        r"(?:^|[^\w.:/-])(?:0\d{1,4}[-( ]\d{1,4}[-) ]\d{3,4}|0[789]0\d{8}|\+\d{1,3}[ .-]?\(?\d{1,4}\)?(?:[ .-]?\d{2,4}){2,4}|\(\d{3}\)[ ]?\d{3}[ .-]\d{4}|\d{3}[-. ]\d{3}[-. ]\d{4}|\d{3}-\d{4})(?:[^\w.:-]|[.,]\s|$)",
    ),
    (
        Sort::Address,
        r"(?:〒[ ]?\d{3}-?\d{4}|(?:東京都|北海道|(?:京都|大阪)府|(?-u:\b)?\p{Han}{2,3}県)\p{Han}{1,6}[市区町村郡]|\p{Han}{1,5}[市区]\p{Han}{1,8}\d{1,3}[-丁]|\b\d{1,5}[ ](?-i:[A-Z])[A-Za-z .']{2,30}[ ](?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|court|ct|boulevard|blvd|way|close|place|terrace|crescent)\b)",
    ),
    (
        Sort::Birth,
        r"(?:^|[^\d-])(?:(?:19[2-9]\d|200\d|201[0-5])[-/.年]\d{1,2}[-/.月]\d{1,2}|\d{1,2}[/.]\d{1,2}[/.](?:19[2-9]\d|200\d)|(?:昭和|平成)\d{1,2}年)",
    ),
    (
        Sort::Name,
        r"(?:@NAME@|\p{Han}{1,4}[ 　]\p{Han}{1,4}|(?:^|[,|\t:、「\x22\x27 ])\p{Han}{1,3}(?:太郎|花子|一郎|次郎|子|美|香|恵|奈|菜|介|輔|樹|也|人|男|夫|雄|一|二|三|郎|吾|平|太|斗|翔|蓮|陽|結|葵|咲|莉|真|健|誠|隆|浩|明|進|学|彦|司|哉|希|織|穂|江|代)(?:$|[,|\t、」\x22\x27 さ様氏])|[ァ-ヶー]{2,6}[ 　][ァ-ヶー]{2,6})",
    ),
    (
        Sort::Money,
        r"(?:[$€£¥￥][ ]?\d{2,3}(?:,\d{3})+|\d{3,4}万円|\b\d{2,3}k\b|\d{1,3},\d{3},\d{3}円?|\b\d{5,8}\b)",
    ),
    (
        Sort::Health,
        r"(?:糖尿病|高血圧|がん|癌|うつ病|喘息|妊娠|アレルギー|陽性|陰性|diabetes|hypertension|asthma|cancer|depression|hiv|allerg|positive|negative|pregnan|migraine|arthritis|hepatitis)",
    ),
];

const LABELLED: &[(Sort, &str)] = &[
    (
        Sort::Name,
        r"(?:(?:氏名|お名前|名前|患者名|顧客名|社員名|担当者名?|フリガナ|ふりがな|契約者名?|申込者|応募者|受取人|宛名)|\b(?:full[ _-]?name|first[ _-]?name|last[ _-]?name|surname|name|customer|patient|employee|applicant|contact|tenant|client|candidate|fn)\b)[\x22'*]{0,3}[ \t]*[:=|は][ \t]*[\x22'*]{0,3}[A-Z\p{Han}\p{Katakana}\p{Hiragana}]",
    ),
    (
        Sort::Mail,
        r"(?:e-?mail|mail|メール(?:アドレス)?|連絡先)(?:[ _-]?address)?[\x22'*]{0,3}[ \t]*[:=|は][ \t]*[\x22'*<]{0,3}@EMAIL@",
    ),
    (
        Sort::Phone,
        r"(?:\b(?:phone|mobile|cell|tel(?:ephone)?|fax)(?:[ _-]?(?:no\.?|number))?|電話(?:番号)?|携帯(?:電話|番号)?|TEL|連絡先)(?:;TYPE=\w+)?[\x22'*]{0,3}[ \t]*[:=|は.][ \t]*[\x22'*]{0,3}[+(]?\d[\d() .-]{6,18}",
    ),
    (
        Sort::Address,
        r"(?:(?:住所|自宅|所在地|現住所|お届け先)|\b(?:home |street |mailing |postal )?address)[\x22'*]{0,3}[ \t]*[:=|は][ \t]*[\x22'*]{0,3}(?:〒|\d{1,5} (?-i:[A-Z])|\p{Han})",
    ),
    (
        Sort::Birth,
        r"(?:生年月日|誕生日|\b(?:dob|date[ _]of[ _]birth|birth[ _]?date|birthday|born))[\x22'*]{0,3}[ \t]*[:=|はが]?[ \t]*[\x22'*]{0,3}@DATE@",
    ),
    (
        Sort::Money,
        r"(?:年収|給与|月給|基本給|賞与|評価|\b(?:salary|base pay|compensation|bonus|wage|rating))[\x22'*]{0,3}[ \t]*[:=|は][ \t]*[\x22'*]{0,3}[$€£¥￥]?\d",
    ),
    (
        Sort::Health,
        r"(?:病名|診断|既往歴|症状|アレルギー|処方|\b(?:diagnosis|condition|medication|allergies|prescription|blood type))[\x22'*]{0,3}[ \t]*[:=|は][ \t]*[\x22'*]{0,3}[A-Z\p{Han}\p{Katakana}]",
    ),
];

/// Words beside which a row is about pay.
const PAYROLL: &[&str] = &[
    "salary",
    "payroll",
    "compensation",
    "bonus",
    "base pay",
    "年収",
    "給与",
    "月給",
    "賞与",
    "基本給",
];
/// Words beside which a row is about health.
const CLINIC: &[&str] = &["patient", "diagnos", "患者", "診断", "病名", "mrn"];

/// A part of each label, by which a text without labels is passed quickly.
const LABEL_PARTS: &[(Sort, &[&str])] = &[
    (
        Sort::Name,
        &[
            "氏名",
            "名前",
            "患者名",
            "顧客名",
            "社員名",
            "担当者",
            "フリガナ",
            "ふりがな",
            "契約者",
            "申込者",
            "応募者",
            "受取人",
            "宛名",
            "name",
            "customer",
            "patient",
            "employee",
            "applicant",
            "contact",
            "tenant",
            "client",
            "candidate",
            "fn",
        ],
    ),
    (Sort::Mail, &["mail", "メール", "連絡先"]),
    (Sort::Phone, &["phone", "mobile", "cell", "tel", "fax", "電話", "携帯", "連絡先"]),
    (Sort::Address, &["住所", "自宅", "所在地", "届け先", "address"]),
    (Sort::Birth, &["生年月日", "誕生日", "dob", "birth", "born"]),
    (
        Sort::Money,
        &[
            "年収",
            "給与",
            "月給",
            "基本給",
            "賞与",
            "評価",
            "salary",
            "base pay",
            "compensation",
            "bonus",
            "wage",
            "rating",
        ],
    ),
    (
        Sort::Health,
        &[
            "病名",
            "診断",
            "既往歴",
            "症状",
            "アレルギー",
            "処方",
            "diagnosis",
            "condition",
            "medication",
            "allergies",
            "prescription",
            "blood type",
        ],
    ),
];

/// The words that are looked for in one pass, and the sort that each speaks of.
struct Words {
    cues: Cues,
    sorts: Vec<Sort>,
}

impl Words {
    fn of(lists: &[(Sort, &[&str])]) -> Self {
        let words = || lists.iter().flat_map(|(_, words)| words.iter());
        let sorts = lists.iter().flat_map(|(sort, words)| words.iter().map(|_| *sort)).collect();
        Self { cues: Cues::new(words().map(|word| (*word, Stands::Anywhere))), sorts }
    }

    /// The sorts of which a word stands in a text, as bits.
    fn bits(&self, text: &str) -> u8 {
        let mut bits = 0;
        self.cues.each(text, |hit| bits |= self.sorts[hit.word].bit());
        bits
    }
}

impl Sort {
    fn bit(self) -> u8 {
        1 << self as u8
    }
}

static LABELS: LazyLock<Words> = LazyLock::new(|| Words::of(LABEL_PARTS));
static MATTERS: LazyLock<Words> =
    LazyLock::new(|| Words::of(&[(Sort::Money, PAYROLL), (Sort::Health, CLINIC)]));

/// How much of a text says what its rows are about.
const HEADING: usize = 4000;

/// What a text has of which a row about somebody is made; it is cheap to know.
struct Signs {
    mail: bool,
    /// The digits of the longest number.
    digits: usize,
    /// Whether there is anything beside ASCII.
    wide: bool,
    payroll: bool,
    clinic: bool,
}

impl Signs {
    fn of(text: &str) -> Self {
        let heading = &text[..crate::base::words::boundary(text, HEADING)];
        let matters = MATTERS.bits(heading);
        Self {
            mail: text.contains('@'),
            digits: longest_number(text),
            wide: !text.is_ascii(),
            payroll: matters & Sort::Money.bit() != 0,
            clinic: matters & Sort::Health.bit() != 0,
        }
    }

    /// Whether the expression of a sort can hold at all, or says anything if it does.
    fn allow(&self, sort: Sort) -> bool {
        match sort {
            Sort::Mail => self.mail,
            Sort::Phone => self.digits >= 7,
            Sort::Address => self.digits > 0 || self.wide,
            Sort::Birth => self.digits >= 4 || self.digits > 0 && self.wide,
            Sort::Money => self.payroll,
            Sort::Health => self.clinic || self.digits >= 4,
            Sort::Name => true,
        }
    }
}

/// The digits of the longest number, whatever stands between them as in a telephone's.
fn longest_number(text: &str) -> usize {
    let (mut most, mut digits) = (0, 0);
    for b in text.bytes() {
        match b {
            b'0'..=b'9' => {
                digits += 1;
                most = most.max(digits);
            }
            b' ' | b'-' | b'.' | b'/' | b'(' | b')' | b'+' => {}
            _ => digits = 0,
        }
    }
    most
}

/// Finds the first list or record of people in a text.
pub(super) fn find(text: &str) -> Option<Found> {
    stretches(text).find_map(|stretch| find_in(&text[stretch.clone()], stretch.start))
}

fn find_in(text: &str, offset: usize) -> Option<Found> {
    let signs = Signs::of(text);
    let holds = |saying: &&Saying| signs.allow(saying.sort) && saying.written.is_match(text);
    let (names, reach): (Vec<_>, Vec<_>) =
        SORTS_READY.iter().partition(|saying| saying.sort == Sort::Name);
    let mut awake: Vec<&Saying> = reach.into_iter().filter(holds).collect();
    if awake.is_empty() {
        return None;
    }
    awake.extend(names.into_iter().filter(holds));
    if awake.iter().any(|saying| saying.sort == Sort::Phone) && crowd(text) {
        return Some(found(offset..offset + text.len()));
    }
    rows(text, &signs, &awake)
        .or_else(|| records(text))
        .map(|at| found(at.start + offset..at.end + offset))
}

fn found(at: Range<usize>) -> Found {
    let why = "names stand here with ways to reach them or facts about them";
    Found { rule: "people".into(), family: "person", why: why.into(), at, shaped: false }
}

/// Two names or more, each with a number or an address beside it, on whatever lines.
fn crowd(text: &str) -> bool {
    static PAIRS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        compile(r"(?:@NAME@|\p{Han}{2,4}[ 　]?[\p{Han}\p{Hiragana}\p{Katakana}]{1,4})(?:さん|様|氏)?[ 　,:（(、\t|<・]{1,3}(?:\d{1,2}名?[ 　]{0,2})?(?:0[5789]0-?\d{4}-?\d{4}|0\d{1,4}-\d{1,4}-\d{4}|\+\d{1,3}[ .-]\d[\d .-]{6,14}|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4})").ok()
    });
    PAIRS.as_ref().is_some_and(|pairs| pairs.find_iter(text).take(2).count() == 2)
}

/// Lines of which each is about one person; two of them are a list.
fn rows(text: &str, signs: &Signs, awake: &[&Saying]) -> Option<Range<usize>> {
    let (mut first, mut count, mut start) = (None, 0, 0);
    for line in text.split_inclusive('\n') {
        let at = start..start + line.len();
        start = at.end;
        if line.len() > 2000 || line.len() < 12 {
            continue;
        }
        let sorts: Vec<Sort> =
            awake.iter().filter(|it| it.written.is_match(line)).map(|it| it.sort).collect();
        let has = |sort: Sort| sorts.contains(&sort);
        let reach = [Sort::Mail, Sort::Phone, Sort::Address, Sort::Birth]
            .iter()
            .filter(|sort| has(**sort))
            .count();
        let separated = || {
            line.contains('様')
                || line.contains([',', '|', '\t', ';', '/', '、'])
                || line.contains(" - ")
                || line.contains(": ")
                || line.contains('・')
                || line.contains("  ")
        };
        let row = reach >= 2 && (has(Sort::Name) || separated())
            || has(Sort::Name) && reach >= 1 && separated() && !has_only_birth(&sorts)
            || has(Sort::Name)
                && separated()
                && (has(Sort::Money) && signs.payroll
                    || has(Sort::Health) && (has(Sort::Birth) || signs.clinic));
        if row && !is_machine_line(line) && !has_only_examples(line) {
            let full = has(Sort::Name) && reach >= 2;
            let begun: usize = *first.get_or_insert(at.start);
            count += 1;
            if count >= 2 || full && (has(Sort::Phone) || has(Sort::Address) || has(Sort::Birth)) {
                return Some(begun..at.end);
            }
        }
    }
    None
}

/// Whether all that reaches anybody in a line is an address of an example.
fn has_only_examples(line: &str) -> bool {
    let mails = line.matches('@').count();
    let examples =
        ["@example.", "@test.", "@localhost", ".example", ".test", ".invalid", "@foo.", "@bar."]
            .iter()
            .map(|end| line.matches(end).count())
            .sum::<usize>();
    let digits = line.bytes().filter(u8::is_ascii_digit).count();
    mails > 0 && examples >= mails && digits < 8
}

fn has_only_birth(sorts: &[Sort]) -> bool {
    ![Sort::Mail, Sort::Phone, Sort::Address].iter().any(|sort| sorts.contains(sort))
}

/// Lines that machines write about authors: commits, licences, lock files, program text.
fn is_machine_line(line: &str) -> bool {
    const MARKS: &[&str] = &[
        "author:",
        "commit:",
        "co-authored-by",
        "signed-off-by",
        "reviewed-by",
        "copyright",
        "maintainer",
        "committer",
        "\"author\"",
        "from:",
        "message-id",
        "git@",
        "noreply",
        "authors =",
        "codeowners",
        "tested-by",
        "acked-by",
        "reported-by",
        "cc:",
        "license",
        "(c)",
        "http://",
        "https://",
        "assert",
        "expect(",
        "import ",
        "function",
        "class ",
        "def ",
        "varchar",
        "regex",
        "[info]",
        "[error]",
        "[warn]",
        "info ",
        "error ",
        "debug ",
        "::",
        "support@",
        "info@",
        "contact@",
        "sales@",
        "help@",
        "security@",
        "postmaster@",
        "hello@",
        "vat no",
        "example:",
    ];
    let lower = line.to_lowercase();
    MARKS.iter().any(|mark| lower.contains(mark))
}

/// Labels with values, of which three sorts near one another are a record.
fn records(text: &str) -> Option<Range<usize>> {
    let bits = LABELS.bits(text);
    if bits.count_ones() < 3 {
        return None;
    }
    let labelled = LABELLED_READY.iter().filter(|saying| bits & saying.sort.bit() != 0);
    let labelled: Vec<_> = labelled.filter(|saying| saying.written.is_match(text)).collect();
    if labelled.len() < 3 {
        return None;
    }
    let mut hits: Vec<(usize, Sort, usize)> = labelled
        .iter()
        .flat_map(|Saying { sort, written }| {
            written.find_iter(text).take(64).map(|hit| (hit.start(), *sort, hit.end()))
        })
        .collect();
    hits.sort_unstable_by_key(|(start, ..)| *start);
    for (n, (start, ..)) in hits.iter().enumerate() {
        let near =
            || hits[n..].iter().take(RECORD_LINES * 2).take_while(|(at, ..)| *at < start + 600);
        let mut sorts: Vec<Sort> = Vec::new();
        for (_, sort, _) in near() {
            if !sorts.contains(sort) {
                sorts.push(*sort);
            }
        }
        let named = sorts.contains(&Sort::Name);
        if sorts.len() >= 4 || sorts.len() >= 3 && named {
            let end = near().map(|(.., end)| *end).max().unwrap_or(*start);
            return Some(*start..end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_records_of_people_are_found() {
        for text in [
            "name,email,phone\nAlice Tanaka,alice@example.com,090-1234-5678\nBob Sato,bob@example.com,080-2345-6789",
            "氏名: 山田 太郎\n住所: 東京都千代田区丸の内1-1\n電話番号: 03-1234-5678\n",
            "| 佐藤 花子 | hanako@example.jp | 090-1111-2222 |\n| 鈴木 一郎 | ichiro@example.jp | 090-3333-4444 |",
        ] {
            assert!(find(text).is_some(), "{text}");
        }
    }

    #[test]
    fn one_address_and_program_text_are_no_list() {
        for text in [
            "Write to support@example.com for help.",
            "Author: Alice Tanaka <alice@example.com>\nAuthor: Bob Sato <bob@example.com>",
            "CREATE TABLE users (name VARCHAR(20), email VARCHAR(40), phone VARCHAR(20));",
            "氏名、住所、電話番号の入力欄を作って",
        ] {
            assert!(find(text).is_none(), "{text}: {:?}", find(text));
        }
    }
}
