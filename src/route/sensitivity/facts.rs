//! Matters that are private once they are told of somebody.
//!
//! The lists go by how much a matter says: an intimate one is private even of "my
//! wife", a grave one of anybody with a name, a plain one (a grade, a policy, a flat)
//! only with a number or a second matter beside it.

use std::ops::Range;
use std::sync::LazyLock;

use super::cues::{Cues, Hit, Stands};

/// How much a matter says of the one of whom it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// Private with a detail.
    Plain,
    /// Private with a name.
    Grave,
    /// Private of anybody in particular.
    Intimate,
}

/// A matter that is told in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    /// Where its word stands.
    pub(super) at: Range<usize>,
    /// How much it says.
    pub(super) weight: Weight,
}

/// English words; one that ends in `*` may go on.
const INTIMATE: &str = "miscarr*|stillb*|abortion|pregnan*|ivf|infertil*|hiv|aids|std|sti|chlamydia|gonorrh*|syphilis|herpes|hepatitis|tested positive|biopsy|metasta*|chemo*|tumour*|tumor*|\
    cancer|oncolog*|lymphoma|leukaemia|leukemia|dementia|alzheimer*|lewy body|parkinson*|terminal illness|hospice|suicid*|self-harm*|self harm*|cutting again|overdos*|relapse*|rehab|alcoholi*|drinking problem|\
    addict*|depress*|bipolar|schizophren*|psychosis|psychiatr*|eating disorder|anorexi*|bulimi*|panic attack*|breakdown|antidepressant*|sertraline|lithium|divorc*|separation agreement|affair with|\
    having an affair|cheating on|cheated on|custody|restraining order|domestic violence|domestic abuse|abus*|molest*|assault*|raped|rape|stalk*|keeps coming by|harass*|beat me|hit me|hits me|hit her|hit him|foster care*|adopted|\
    illegitimate|paternity|bankrupt*|in debt|gambl*|evict*|food bank|homeless|asylum|undocumented|deport*|overstay*|convicted|arrested|criminal record|on parole|probation officer|shoplift*|drunk driving|dui|\
    cheating|cheats|came out to|own life|killed himself|killed herself|in prison|in jail|heroin|cocaine|detox|on drugs|vaping|sectioned|wets the bed|since the divorce|lost my job|lost his job|lost her job|cannot pay|can't pay|sacked|infidelity|my debts|nervous breakdown|lexapro|prozac|hep b|hep c|beats|two kids|mother drinks|father drinks|drinks heavily";

const GRAVE: &str = "diagnos*|prognosis|prescri*|medication|on leave|sick leave|off sick|sick since|long-term sick|medical leave|surgery|operation on|hospitali*|discharge summary|admitted to|a&e|icu|post op|seizure*|\
    stroke|diabet*|asthma*|epilep*|dyslexi*|adhd|autis*|asd|tourette*|special needs|send plan|ehcp|iep|safeguarding|social worker|social services|child protection|care order|foster|bully*|bullied|truan*|expelled|expulsion|\
    detention for|excluded from school|allerg*|chest pain|blood pressure|viral load|lab result*|blood test*|therapist|therapy|counsell*|counsel*ing|stress leave|burnout|burnt out|is ill|terminally|unwell|passed away|funeral|\
    disciplin*|grievance|misconduct|written warning*|final warning*|warning letter*|improvement plan|employment will end|dismiss*|terminat*|fired|let go|let her go|let him go|let them go|lay off|laid off|layoff*|redundan*|severance|resign*|quit|demot*|pip|underperform*|\
    missed targets|poor performance|performance review|performance rating|performance plan|appraisal|exit interview|salary|salaries|payroll|wage*|base pay|pay rise|pay raise|payslip*|counter offer|counteroffer|offer letter|\
    not to be promoted|bonus|stock options|personnel file|reference check|background check|reject*|turned down|weak interview|hid a gap|visa expir*|work permit|whistleblow*|identity of|real name|falsif*|forged|embezzl*|brib*|\
    stole|stolen|theft|fraud*|suspect*|suspect|accused|alleged*|victim|witness*|shredder|perjur*|testif*|affidavit|deposition|claimant|plaintiff|defendant|settlement|alimony|prenup*|\
    arrears|overdue rent|owes|owed|debt|debts|loan application|loan default|default on|credit score|net worth|inherit*|inheritance|will and testament|beneficiar*|tax return*|tax debt|garnish*|benefit claim*|universal credit|\
    immigration|visa refus*|religio*|sexual*|sexuality|gay|lesbian|transgender|transition*|hormone therapy|ethnic*|union member*|nhs no*|nhs number|medicare|medicaid|mrn|patient|counselling|hangover|security sensitive|under an alias|under alias|home pickup|\
    looking to leave|leaving us|headhunt*|poach*|is leaving|plans to leave|job hunting|interviewing elsewhere|does not know|doesn't know|don't know yet|not know yet|not been told|hasn't been told|haven't told|clicked|gave password|failed the phishing|\
    not aware|isn't aware|to replace|being replaced|because of him|because of her|hates his boss|hates her boss|final warning|rude to|too expensive|late payer*|covered up|backdated|fell at|bruise*|wheelchair|hearing aid|deferred|unblind*|sae|raised concerns|school raised|jewel*|iep goals|pnr|decline|anonymise|anonymize|id card|next to kin|allergic|tips badly|deadline* missed|missed deadlines|nonverbal|non-verbal|triggers|caught|reluctant|has not paid|hasn't paid";

const PLAIN: &str = "symptom*|participant|interviewee|respondent|injur*|pain in|fracture*|anxiety|insulin|inhaler|wheelchair|disabilit*|weight|bmi|mum|dad|parent*|guardian|next of kin|emergency contact|report card|grade|grades|exam|marks|gpa|\
    student id|student|pupil|attendance|absen*|late fee|fine|fines|score|scored|applicant*|candidate*|interview|cv|resume|references|hire|promotion|promoted|compensation|staff no|employee|employee id|employee no|personnel|complaint|complain*|refund*|\
    customer|account no|account number|account balance|routing|sort code|direct deposit|checking|savings|iban|member id|membership|member no|policy no|policy number|policyholder|policy|insured|insurer|insurance|claim|claims|burglary|accident|\
    licence plate|license plate|plate|number plate|driver|driving licen*|driver licen*|passport|national insurance|ni number|ssn|social security|visa|home address|address*|lives at|living at|lives with|moved to|flat|apartment|date of birth|dob|born|b.|birthday|phone|mobile|\
    cell|tel|loyalty card|order history|booking|booked|reservation|room|guest*|hotel|flight|seat|itinerary|loyalty|tenant*|rent|landlord|lease|mortgage|petition|will|executor|cousin*|ancestry|wedding|donat*|donor|pledge*|volunteer*|member list|\
    street|st|road|rd|lane|avenue|ave|drive|court|ct|close|crescent|terrace|way|row|place|gardens|square|mews|vote*|attendees|call notes|police|statement|witness statement|contract ends|days";

/// Japanese words.
const INTIMATE_JA: &str = "流産|死産|中絶|妊娠|妊活|不妊|性病|クラミジア|梅毒|HIV|陽性|がん|癌|腫瘍|抗がん剤|余命|認知症|うつ|鬱|適応障害|統合失調|双極性|パニック障害|摂食障害|希死|自殺|自傷|リストカット|依存症|精神科|心療内科|不倫|浮気|離婚|別居|親権|養育費|\
    DV|虐待|暴力|家出|性的|痴漢|ストーカー|いじめ|不登校|自己破産|破産|借金|多重債務|差押|差し押さえ|生活保護|夜逃げ|前科|逮捕|服役|保護観察|万引き|横領|肝炎|検査で|つきまと|隠し子|認知した|断酒|断薬|覚醒剤|薬物|徘徊|あざ|ネグレクト|パニック|壊され|殴|蹴|脅|別れ話|母子家庭|父子|休みがち|家賃滞納|自助グループ|偽名|妻以外|他界|亡くな|葬儀|里親|養子|性自認|トランスジェンダー|同性愛|ゲイ|死にたい";

const GRAVE_JA: &str = "診断|病名|病状|病歴|既往|通院|入院|手術|処方|服薬|服用|禁忌|アレルギー|検査結果|検査値|お薬|薬手帳|ワーファリン|胸痛|腹痛|陰性|紹介状|診療|カルテ|発作|せん妄|骨折|脳梗塞|心筋梗塞|透析|持病|障害者|障害手帳|障害等級|発達障害|自閉|ADHD|学習障害|糖尿|高血圧|てんかん|喘息|ぜんそく|\
    褥瘡|おむつ|要介護|要支援|介護度|独居|ペニシリン|エピペン|遺伝子|BRCA|カウンセリング|メンタル|休職|復職|病休|病気休暇|育休|産休|介護休|解雇|懲戒|戒告|減給|降格|昇格|昇給|退職勧奨|退職理由|退職届|退職|人員整理|リストラ|人事考課|人事評価|評価面談|査定|年収|月収|給与|給料|月給|基本給|賞与|ボーナス|\
    手取り|残業代|報酬|滞納|未払|督促|延滞|融資|ローン|年金|口座|残高|振込|面接|候補者|応募者|内定|不採用|希望年収|転職|在留資格|在留カード|不法滞在|ハラスメント|パワハラ|セクハラ|マタハラ|肩を抱|内部通報|公益通報|通報者|告発|改ざん|不正|隠蔽|着服|収賄|賄賂|情報漏えい|誤送信|\
    被疑|起訴|示談|慰謝料|訴訟|調停|労働審判|申立|相続|遺産|遺言|財産分与|保護者|家庭環境|保護|児童相談|児相|面談|停学|退学|留年|偏差値|成績|通知表|不合格|進路|信仰|宗教|国籍|指紋|被害届|被害者|加害者|事故|苦情|クレーム|激怒|不満|解約|別名で|警備上|\
    まだ職場|本人には|本人へは|本人に|知られない|知らない|ヘッドハント|ヘッドハンティング|引き抜き|決裁者|値引き限度|匿名希望|無職|失業|怪我|ケガ|麻痺|歩行器|リハビリ|服薬|肺|癌|腺癌|ステージ|月経|問診|所見|E判定|C判定|D判定|尿酸|肝機能|血糖|協調性|遅刻が多|乗り換え|離婚協議|未通達|未払い|出禁|売掛|返金|下4桁|遅れ|滞り|同伴|旅券|発令|異動案|評価コメント|内申|指導要録|名簿|勤怠|残業|健診|入金";

const PLAIN_JA: &str = "症状|血圧|血液型|身長|体重|体調|欠席|遅刻|早退|学籍番号|受験番号|社員番号|顧客番号|患者番号|会員番号|証券番号|記号|保険証|健康保険|被保険者|契約者|扶養|所得|収入|保証人|勤務先|緊急連絡|連絡先|携帯|電話|住所|自宅|住まい|生年月日|生まれ|生、|誕生日|マイナンバー|パスポート|旅券|免許|車両|ナンバー|\
    予約|宿泊|宛先|宛名|送り先|届け先|出産祝い|年賀状|香典|結婚|弔電|持株|株主|寄付|献血|初診|購入履歴|注文履歴|来店|返金|数学|国語|英語|理科|点数|順位|テスト|試験|志望|要望|連絡網|名簿|当番|お詫び|謝罪|騒音|隣|都|市|区|町|丁目|番地|号室|扶養|歳|才|訪問|往診|治験|被験者|参加者|投与|対象|被害額|請求";

struct Finder {
    cues: Cues,
    /// The weight of each word, and whether it may go on.
    words: Vec<(Weight, bool)>,
}

static FINDER: LazyLock<Finder> = LazyLock::new(|| {
    use Weight::{Grave, Intimate, Plain};
    let (mut patterns, mut words) = (Vec::new(), Vec::new());
    let lists = [
        (INTIMATE, Intimate),
        (GRAVE, Grave),
        (PLAIN, Plain),
        (INTIMATE_JA, Intimate),
        (GRAVE_JA, Grave),
        (PLAIN_JA, Plain),
    ];
    for (list, weight) in lists {
        for word in list.split('|') {
            patterns.push(word.trim_end_matches('*'));
            words.push((weight, word.ends_with('*')));
        }
    }
    let cues = Cues::new(patterns.into_iter().map(|word| (word, Stands::AtAStart)));
    Finder { cues, words }
});

/// The first private matters that are told in a text, in order, no more than `most`.
pub(super) fn facts(text: &str, most: usize) -> Vec<Fact> {
    let counts = |hit: &Hit| stands_alone(text, hit.range(), FINDER.words[hit.word].1);
    let hits = FINDER.cues.longest(text, counts).into_iter().take(most);
    hits.map(|hit| Fact { at: hit.range(), weight: FINDER.words[hit.word].0 }).collect()
}

/// Whether a word that was found is a whole one: `will` is not part of `goodwill`.
pub(super) fn stands_alone(text: &str, at: Range<usize>, open: bool) -> bool {
    let bytes = text.as_bytes();
    let letter = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    if !bytes[at.start].is_ascii() {
        return true;
    }
    let before = at.start.checked_sub(1).and_then(|n| bytes.get(n));
    !letter(before) && (open || !letter(bytes.get(at.end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_whole_and_weighed() {
        let weights =
            |text: &str| facts(text, 9).iter().map(|fact| fact.weight).collect::<Vec<_>>();
        assert_eq!(weights("she was diagnosed"), [Weight::Grave]);
        assert_eq!(weights("彼女は流産した"), [Weight::Intimate]);
        assert!(weights("goodwill, a pipe, studio").is_empty());
    }
}
