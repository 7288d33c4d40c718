//! A named person with something that is nobody else's business.
//!
//! "田中さんの診断書", "performance review of Jane Roe": a name alone is public and
//! an illness alone is medicine; both in one sentence are a record of somebody.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::rule::{Found, compile, stretches};
use crate::base::words;

/// How far a fact may stand from the name, in bytes.
const REACH: usize = 240;

/// The most names that are looked at in one stretch.
const MOST_NAMES: usize = 64;

/// Family names of Japan that most people have, and those who write examples use.
const SURNAMES: &str = "佐藤|鈴木|高橋|田中|伊藤|渡辺|渡邊|渡部|山本|中村|小林|加藤|吉田|山田|佐々木|山口|松本|井上|木村|林|斎藤|斉藤|齋藤|齊藤|清水|山崎|森|池田|橋本|阿部|安部|石川|山下|中島|石井|小川|前田|岡田|長谷川|藤田|後藤|近藤|村上|遠藤|青木|坂本|福田|太田|西村|藤井|金子|岡本|藤原|中野|三浦|原田|中川|松田|竹内|小野|田村|中山|和田|石田|上田|森田|小島|柴田|原|酒井|工藤|横山|宮崎|宮本|内田|高木|安藤|島田|谷口|大野|丸山|今井|高田|藤本|武田|村田|上野|杉山|増田|平野|大塚|千葉|久保|松井|小山|岩崎|桜井|櫻井|木下|野口|松尾|野村|菊地|菊池|佐野|大西|杉本|新井|荒井|浜田|市川|古川|水野|小松|久保田|荒木|石原|矢野|片山|川口|川崎|本田|東|岩田|服部|飯田|広瀬|吉川|辻|関|関口|五十嵐|樋口|永井|星野|黒田|大島|西田|内藤|福島|永田|岡崎|熊谷|松岡|大久保|土屋|森本|平田|小池|堀|須藤|川上|秋山|山内|田辺|桑原|早川|中西|栗原|三宅|奥村|西川|堤|榎本|相沢|白石|望月|松村|小倉|浅野|北村|河野|岸|結城|神田|高野";

/// Facts about a person in Japanese.
const FACTS_JA: &str = r"診断|病名|病状|病歴|既往|通院|入院|手術|処方|服薬|服用|お薬|薬手帳|禁忌|アレルギー|検査結果|陽性|陰性|紹介状|診療|カルテ|症状|疑い|胸痛|血圧|血液型|妊娠|流産|不妊|持病|障害者?(?:手帳|等級)|うつ|鬱|適応障害|統合失調|糖尿|がん|癌|腫瘍|HIV|依存症|飲酒|自殺|希死|カウンセリング|メンタル|休職|復職|病気休暇|解雇|懲戒|退職(?:勧奨|日|理由|届)|戒告|減給|降格|昇格|昇給|人事(?:考課|評価|異動)|評価(?:は|：|:|シート|面談)|査定|年収|月収|給与|給料|月給|基本給|賞与|ボーナス|手取り|報酬|借入|借金|滞納|未払い|督促|延滞|融資|ローン|破産|自己破産|差し押さえ|生活保護|年金額|口座|残高|振込先|保険|証券番号|契約者|会員番号|学籍番号|社員番号|顧客番号|患者番号|受験番号|成績|評定|偏差値|不合格|停学|退学|いじめ|保護者|家庭環境|虐待|離婚|親権|養育費|不倫|浮気|DV|逮捕|前科|犯罪歴|被疑|起訴|示談|慰謝料|訴訟|相続|遺産|遺言|パワハラ|セクハラ|ハラスメント|苦情|クレーム|面接|候補者|応募者|内定|志望|希望年収|不採用|身長|体重|信仰|宗教|国籍|在留|指紋|介護度|要介護|認知症|事故日|被害届|返金|解約|予約|購入履歴|注文履歴|来店|携帯|電話番号|住所|自宅|生年月日|歳(?:、|女性|男性|の|（)|マイナンバー|パスポート|免許";

/// Facts about a person in English.
const FACTS_EN: &str = r"diagnos\w+|prognosis|prescri\w+|medication|symptom\w*|blood (?:test|pressure|type)|lab (?:report|results?)|biopsy|antibod\w+|viral load|hiv\b|hepatitis|diabet\w+|cancer|tumou?r|chemo\w*|surgery|hospitali[sz]\w+|admitted|discharge summary|therapy|therapist|counsell?ing|suicid\w+|relapse|rehab|depress\w+|anxiety|bipolar|schizophren\w+|autis\w+|adhd|pregnan\w+|miscarriage|ivf|chest pain|allerg\w+|patient|referral letter|sick (?:leave|note|since)|off sick|medical (?:leave|history|record|condition)|disabilit\w+|performance (?:review|rating|appraisal|improvement)|appraisal|\bpip\b|disciplin\w+|warning letter|terminat\w+|dismiss\w+|fired\b|redundan\w+|severance|resignation|exit interview|grievance|harass\w+|misconduct|complaint against|salary|payroll|wage\w*|bonus|base pay|compensation|pay (?:rise|raise|slip|grade|band)|payslip|staff no|employee (?:id|no|number)|personnel file|applicant\w*|candidate|interview notes|reference check|background check|criminal record|arrest\w*|convict\w+|probation|custody|divorc\w+|alimony|prenup\w*|affair|abuse|restraining|bankrupt\w+|debt\b|owes?\b|overdue|arrears|loan application|credit score|mortgage|net worth|account (?:no|number|balance|\d)|member(?:ship)? (?:id|no|number)|policy (?:no|number|holder)|policyholder|insured|claim(?:ant)?\b|burglary|student (?:id|no|number)|gpa\b|grade[sd]? (?:is|are|[A-F]\b)|expel\w+|suspended|report card|passport|visa application|immigration|asylum|home address|lives at|date of birth|\bdob\b|born (?:on )?\d|next of kin|emergency contact|phone number|mobile number|religio\w+|sexual\w*|ethnic\w*|will and testament|beneficiary|tax return|loyalty card|order history|booked|reservation|offer letter|assets|petition|insured|tenant|evict\w*|\d{1,4} (?-i:[A-Z][a-z]+) (?:row|street|road|lane|avenue|drive|court|close|way|terrace|place|crescent|boulevard|square|gardens)\b|ssn\b|(?:is |aged? |, )\d{1,2}(?:,| years? old| yo\b)";

struct Patterns {
    name_ja: Regex,
    name_en: Regex,
    fact_ja: Regex,
    fact_en: Regex,
    number: Regex,
}

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    Some(Patterns {
        name_ja: compile(&name_ja()).ok()?,
        name_en: compile(NAME_EN).ok()?,
        fact_ja: compile(&format!("(?:{FACTS_JA})")).ok()?,
        fact_en: compile(&format!(r"\b(?:{FACTS_EN})")).ok()?,
        number: compile(r"(?:@EMAIL@|(?:^|[^\d])0\d{1,3}[- ]?\d{2,4}[- ]?\d{4}|\+\d{1,3}[ .-]\d[\d .-]{6,14}|\(\d{3}\) ?\d{3}-\d{4}|\d{3}[-.]\d{3}[-.]\d{4}|\b\d{5,10}\b|[$€£¥]\d|\d{1,3},\d{3}|\d+万円|(?:19|20)\d\d[-/年]\d{1,2}|\d{1,2}歳)").ok()?,
    })
});

/// `田中 太郎`, `佐藤花子さん`: a family name that is one, and a given name or a form of address.
fn name_ja() -> String {
    format!(
        r"(?:^|[^\p{{Han}}])(?:{SURNAMES})(?:[ 　]?[\p{{Han}}]{{1,3}}|[ 　][\p{{Hiragana}}\p{{Katakana}}]{{2,5}})?(?:[ 　]?(?:さん|様|氏|殿|君|くん|ちゃん|先生|部長|課長|係長|主任|社長|専務|常務|店長)|[ 　、。，,（(：:／/|\t\n]|は|が|の|を|に|と|で|$)"
    )
}

/// `Jane Roe`, `Mrs Wren`, `KOWALSKI^HUGO`.
const NAME_EN: &str = r"(?:(?-i:\b(?:Mr|Mrs|Ms|Miss|Mx)\.? [A-Z][a-z]{1,20}(?:-[A-Z][a-z]+)?\b)|(?-i:\b[A-Z][a-z]{1,15}(?: [A-Z]\.)? (?:O'|Mc|Mac|de |van |von |Di |La )?[A-Z][a-z]{2,20}(?:-[A-Z][a-z]+)?\b)|(?-i:\b[A-Z]{2,20}\^[A-Z]{2,20}))";

/// Finds the first person of whom something private is told.
pub(super) fn find(text: &str) -> Option<Found> {
    let patterns = PATTERNS.as_ref()?;
    stretches(text).find_map(|stretch| {
        let part = &text[stretch.clone()];
        let at = japanese(patterns, part).or_else(|| english(patterns, part))?;
        Some(Found {
            rule: "private_matter".into(),
            family: "person",
            why: "something private is told of a person by name here".into(),
            at: at.start + stretch.start..at.end + stretch.start,
            shaped: false,
        })
    })
}

fn japanese(patterns: &Patterns, text: &str) -> Option<Range<usize>> {
    if text.is_ascii() || !patterns.fact_ja.is_match(text) {
        return None;
    }
    let names: Vec<Range<usize>> =
        patterns.name_ja.find_iter(text).take(MOST_NAMES).map(|hit| hit.range()).collect();
    names.into_iter().find(|name| {
        let shown = &text[name.clone()];
        let near = near(text, name, REACH);
        let whole = is_whole_name(shown);
        let facts = patterns.fact_ja.find_iter(near).take(8).count();
        let told =
            facts >= 2 || facts >= 1 && patterns.number.is_match(near) || facts >= 1 && whole;
        whole && told && !is_general(near)
    })
}

/// Whether there is more than a family name, or a form of address behind it.
fn is_whole_name(shown: &str) -> bool {
    const FORMS: &[&str] =
        &["さん", "様", "氏", "殿", "君", "くん", "ちゃん", "先生", "課長", "部長", "係長", "主任"];
    let bare: String =
        shown.chars().filter(|c| !matches!(c, ' ' | '\u{3000}' | '、' | '。')).collect();
    FORMS.iter().any(|form| bare.contains(form))
        || bare.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c) || *c == '々').count() >= 3
}

fn english(patterns: &Patterns, text: &str) -> Option<Range<usize>> {
    if !patterns.fact_en.is_match(text) {
        return None;
    }
    let names = english_names(patterns, text);
    names.into_iter().find(|name| {
        let shown = &text[name.clone()];
        let near = near(text, name, REACH);
        let facts = patterns.fact_en.find_iter(near).take(8).count();
        let detail = patterns.number.is_match(near);
        is_person(shown) && (facts >= 2 || facts >= 1 && detail) && !is_general(near)
    })
}

/// Pairs of capitalised words; where the first only introduces a person, the next two.
fn english_names(patterns: &Patterns, text: &str) -> Vec<Range<usize>> {
    let (mut names, mut at) = (Vec::new(), 0);
    while names.len() < MOST_NAMES
        && let Some(hit) = patterns.name_en.find_at(text, at)
    {
        let first = hit.as_str().find([' ', '^']).unwrap_or(hit.len());
        at = if is_person(hit.as_str()) { hit.end() } else { hit.start() + first };
        names.push(hit.range());
    }
    names
}

/// Capitalised pairs that are no persons: places, firms, products, headings.
fn is_person(shown: &str) -> bool {
    const OTHERS: &str = "the this that these those our your their new north south east west san los las saint united great hong tel social national general \
        public private data privacy credit human customer patient employee health medical insurance security google apple microsoft amazon open visual docker red \
        java type node next react spring ruby city street road avenue lane bank hospital university college school institute company inc ltd corp group team department \
        street station park hotel island river lake county state president prime minister supreme court white house wall times post star games world cup war january february \
        march april may june july august september october november december monday tuesday wednesday thursday friday saturday sunday act please write draft summarise summarize \
        dear hello hi best kind regards all any if in on at for from how what when where why who please review translate explain make add fix update create read check turn sort \
        and or but not with without is are was were will can do does did let use using sample example test demo lorem ipsum form list table report plan policy guide overview summary \
        introduction chapter section part step note notes version release project product service system server client user admin account payment order invoice shipping billing";
    shown.contains('^')
        || shown.starts_with('M')
            && shown.split(' ').next().is_some_and(|title| {
                matches!(title.trim_end_matches('.'), "Mr" | "Mrs" | "Ms" | "Miss" | "Mx")
            })
        || !shown.split([' ', '-']).any(|word| super::value::listed(OTHERS, word))
}

/// The sentence around a name, within reach.
fn near<'a>(text: &'a str, name: &Range<usize>, reach: usize) -> &'a str {
    let start = words::boundary(text, name.start.saturating_sub(reach));
    let end = words::boundary(text, name.end.saturating_add(reach));
    let start = text[start..name.start].rfind("\n\n").map_or(start, |n| start + n);
    let end = text[name.end..end].find("\n\n").map_or(end, |n| name.end + n);
    &text[start..end]
}

/// Whether the talk is of history, fiction, or of persons in general.
fn is_general(near: &str) -> bool {
    const SIGNS: &[&str] = &[
        "biograph",
        "wikipedia",
        "novel",
        "fiction",
        "character",
        "historian",
        "nobel",
        "laureate",
        "president",
        "prime minister",
        "emperor",
        "composer",
        "painter",
        "poet",
        "mathematician",
        "physicist",
        "scientist",
        "inventor",
        "actor",
        "actress",
        "singer",
        "author of",
        "wrote ",
        "won the",
        "invented",
        "discovered",
        "theorem",
        "century",
        "movie",
        "film",
        "famous",
        "celebrity",
        "professor",
        "founder of",
        "published in",
        "18th",
        "19th",
        "placeholder",
        "lorem",
        "fixture",
        "faker",
        "mock",
        "seed data",
        "sample data",
        "小説",
        "主人公",
        "登場人物",
        "歴史",
        "伝記",
        "首相",
        "大統領",
        "総理",
        "作家",
        "俳優",
        "画家",
        "作曲家",
        "科学者",
        "発明",
        "ノーベル",
        "世紀",
        "時代",
        "映画",
        "ドラマ",
        "選手",
        "監督",
        "著者",
        "ダミーデータ",
        "テストデータ",
        "架空の",
        "サンプルデータ",
    ];
    let lower = near.to_lowercase();
    SIGNS.iter().any(|sign| lower.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_private_matter_is_found() {
        for text in [
            "田中 太郎さんの診断書を要約してください。病名は糖尿病です。",
            "Performance review of Jane Roe: rating 2 of 5, salary $82,000.",
            "渡辺　陽子 様（会員番号74513098）の解約理由",
        ] {
            assert!(find(text).is_some(), "{text}");
        }
    }

    #[test]
    fn a_name_or_a_matter_alone_is_not() {
        for text in [
            "Jane Roe wrote the parser.",
            "Explain how diabetes is diagnosed.",
            "田中さんにお礼のメールを書いて",
            "給与計算の仕組みを説明して",
            "Marie Curie, the physicist, was born on 7 November 1867 and was a patient woman.",
        ] {
            assert!(find(text).is_none(), "{text}");
        }
    }
}
