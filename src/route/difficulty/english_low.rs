//! English words that speak for low work: everyday verbs, small things, plain questions.
//!
//! Data alone, in the form that `english` describes.

/// Needs no thought, whatever it is done to.
pub(super) const MECHANICAL: &str = "\
    tally, pad, zero pad, strip, renumber, hyphenate, unhide, rot13, left align, right align, \
    alphabetise, recount, retype, duplicate line, delete line, remove line, drop line, \
    move line, spell out, write out, type out, read out, sort list, add up, round off, round up, \
    round down, put in order, put in alphabetical order, put full stop, add full stop, \
    add period, correct spelling, correct typo, correct grammar, correct punctuation, \
    correct capitalization, remove duplicate, remove duplicates, remove blank, remove empty, \
    remove extra, remove trailing, remove unused, remove comment, remove double, remove stray, \
    remove leading, delete duplicate, delete empty, delete blank, delete extra, delete unused, \
    add blank line, add empty line, add closing, add line break, add quotes, \
    add quotation marks, add parenthesis, add bracket, add alt text, add title, add caption, \
    add emoji, add page numbers, add header row, add prefix, add suffix, add heading, \
    add hyphen, add apostrophe, add accent, run formatter, run linter, run prettier, run black, \
    run gofmt, run rustfmt, run clang format, run npm install, run pod install, run tests, \
    run script, run command, run migration, check in, commit lock file, make bold, \
    make lowercase, make uppercase, make italic, make plural, make singular, make past tense, \
    set to true, set to false, flip to true, flip to false, toggle, untick, tick, uncheck, \
    unpin, unindent, dedent, outdent, convert to celsius, convert to fahrenheit, \
    convert to kilometers, convert to json, convert to yaml, convert to csv, \
    convert to markdown, convert to utc, convert to binary, convert to hex, convert to decimal, \
    convert to roman, convert to title case, convert to snake case, convert to camel case, \
    convert to pdf, convert to png, express in, pluralize, singularize, conjugate, recase, \
    title case, camel case, snake case, unzip, zip, gzip, touch, chmod, git tag, tag release, \
    cherry pick, stash, ping, whitelist, subscribe, unsubscribe, archive, unarchive, forward, \
    cc, bcc, star, unstar, mute, unmute, close ticket, close issue, reopen, reassign, rebase, \
    retrigger, restamp, resend, reprint, shuffle, pick out, cut out, snip, blank out, redact, \
    mask, black out, strike through, cross out, jot down, note down, write down, mirror image, \
    rotate image, crop image, compress image, unescape, escape, url encode, url decode, \
    base64 encode, base64 decode, html escape, minify, unminify, uncompress, decompress, \
    collate, fill out, carry over";

/// Mostly quick; what it is done to decides.
pub(super) const LIGHT: &str = "\
    bring, take, take out, take off, take away, cut, shift, reset, unset, redo, undo, point, \
    redirect, state, select, choose, attach, detach, link, unlink, strike, lengthen, widen, \
    narrow, enlarge, shrink, darken, lighten, brighten, recolor, bold, unbold, keep only, \
    leave out, leave only, fill, complete, finish, touch up, polish, replace all, substitute, \
    supply, hand me, show me, tell me, remember, confirm, verify that, report, write name, \
    put back, swap out, bring back, match, align, reference, cite, paste in, correct, amend, \
    refresh, reload, re export, re enable, re run, re generate, recreate, re sort, re order, \
    re word, normalize, standardize, uniform, map, pull, fetch latest, fold, unfold, expand, \
    wrap, assign, unassign, book, cancel, postpone, reschedule, order, buy, ask, say that, \
    repeat, match up, pair, pair up, note, note that, sign, date, stamp, write yes, return only, \
    output only, answer only, reply only, respond only, name only";

/// A plain fact is asked for.
pub(super) const QUESTION: &str = "\
    which element, which year, which country, which city, which planet, which month, which day, \
    which port, which option, which flag, which key, which command, which letter, which file, \
    which line, which version, which of these, which is, which one, which word, which http, \
    what does, whats, what http, what port, what color, what unit, what number, what percentage, \
    what date, what weekday, what day, what month, what letter, what file, what command, \
    what flag, what option, what key, what shortcut, what symbol, what currency, what language, \
    what iso, what word, what name, what size, what version, what was, what were, what is, \
    what are, where was, where does, where can i find, where do i find, who invented, \
    who painted, who wrote, who discovered, who directed, who composed, who founded, who, \
    whose birthday, when does, when do, when did, when were, when is, how do you say, \
    how do i say, how do you spell, how do i spell, how is it spelled, how do you pronounce, \
    how many, how much, how long is, how tall, how high, how old, how far, how big, how deep, \
    how heavy, how hot, how cold, how often does, how large, is there, is this spelled, \
    is this sentence, is this word, is this valid, is it spelled, is it still, is this number, \
    does this sentence, does this word, does this string, does this file, does this list, \
    does this text, can i type, whats plural, plural of, opposite of, antonym of, past tense of, \
    synonym for, synonym of, abbreviation for, abbreviation of, acronym for, capital of, \
    population of, square root of, day of week, leap year, iso code, country code, area code, \
    dial code, time zone of, status code, atomic number, chemical symbol, roman numeral, \
    stand for, stands for, percent of, what percent, is it true that, divisible by, \
    prime number, in celsius, in fahrenheit, in kilometers, in kilometres, in miles, in inches, \
    in pounds, in kilograms, in meters, in metres, in feet, in liters, in litres, in hours, \
    in minutes, in seconds, in bytes, in hex, in hexadecimal, in binary, in roman numerals, \
    in words, in utc, in 24 hour, shortcut for, keyboard shortcut, default port, first name, \
    last name, most common, give iso, give code, give symbol, give date, give name, give sum, \
    give number, give plural, give opposite, give past tense, give length, give total, \
    give three, give five, give two, give four, give ten, name three, name five, name two, \
    name four, name ten, name largest, name capital, list three, list five, list first, \
    list all, list names, list months, list days";

/// Small things: whoever touches one needs no judgement.
pub(super) const SMALL: &str = "\
    misspelled, misspelt, spelt wrong, spelled wrong, spelled, typographical error, \
    spelling slip, slip, wrong spelling, wrong color, wrong colour, wrong icon, wrong year, \
    wrong date, wrong name, wrong label, wrong link, wrong title, wrong font, wrong word, \
    wrong order, wrong case, wrong number, wrong unit, wrong currency, wrong sign, wrong price, \
    wrong language, wrong url, wrong address, wrong extension, wrong quotes, wrong way round, \
    wrong way around, missing comma, missing full stop, missing period, missing bracket, \
    missing missing quotes, missing parenthesis, missing semicolon, missing colon, \
    missing space, missing letter, missing word, missing accent, missing apostrophe, \
    missing hyphen, missing brace, missing tag, missing import, missing icon, missing alt, \
    missing dot, missing slash, missing space after, double space, double comma, double slash, \
    duplicate word, duplicate line, duplicate entry, duplicate row, duplicated word, \
    duplicated line, stray character, stray comma, stray bracket, stray space, stray stray line, \
    extra comma, extra bracket, extra line, extra blank line, extra character, extra zero, \
    extra letter, apostrophe, hyphen, full stop, exclamation mark, question mark, \
    capital letter, lower case, lowercase, uppercase, upper case, title case, sentence case, \
    camel case, snake case, kebab case, initial capital, first letter, last letter, one letter, \
    one character, single character, one word, single word, one line, one place, one file, \
    one occurrence, only occurrence, used once, accent, umlaut, umlauts, bracket, brace, \
    parenthesis, trailing slash, trailing space, trailing dot, leading zero, leading space, \
    leading slash, tab character, byte order mark, encoding header, line length, font, \
    font family, font weight, text color, text colour, background color, background colour, \
    border color, hex code, hex color, border radius, line height, z index, css class, \
    button caption, button title, window title, tab title, menu label, menu title, link text, \
    link color, hover color, splash, splash text, header text, footer link, footer year, \
    copyright notice, copyright line, meta description, meta tag, page heading, section heading, \
    section title, slide title, chart title, plot title, axis label, axis title, legend label, \
    legend, figure number, figure caption, table caption, cell, page number, footnote number, \
    version field, version code, version name, build number, phone number, fax number, postcode, \
    postal code, zip code, street name, house number, street address, opening hours, \
    office hours, contact address, contact name, contact email, birthday, surname, first name, \
    last name, middle name, nickname, job title, salutation, signature, email signature, \
    closing line, greeting line, date format, time format, number format, decimal point, \
    decimal comma, decimal places, thousands separator, currency symbol, currency sign, \
    percent sign, unit symbol, test id, class attribute, id attribute, href, src attribute, \
    data attribute, html tag, markdown link, markdown table, table row, table header, \
    row header, column title, column order, sheet name, tab name, file extension, folder name, \
    branch name, tag name, commit message, log text, log prefix, log format, info message, \
    success message, toast text, toast message, error text, help text, hint text, hint, \
    usage line, usage text, flag description, option description, package name, \
    package description, package version, package json version, author field, author name, \
    license field, license year, license text, todo, fixme, todo list item, shopping list, \
    guest list, name list, price list, packing list, ingredient, teaspoon, tablespoon, \
    paragraph break, page break, section break, bullet, bullets, numbering, list numbering, \
    list marker, quotation, quote marks, double quotes, single quotes, smart quotes, \
    straight quotes, curly quotes, backtick, dash, em dash, en dash, ellipsis, ampersand, \
    at sign, nonbreaking space, non breaking space, dead link, old link, outdated link, \
    old logo, new logo, placeholder logo, placeholder image, lorem ipsum, filler text, \
    dummy text, sample text, test string, test name, magic number, constant name, enum name, \
    package lock, lock file, shebang, crontab line, config key, config line, config entry, \
    env file, feature flag, debug flag, log statement, print line, debug line, debug output, \
    debug log, console warning, deprecation warning, unused css, unused file, unused function, \
    unused dependency, unused class, empty file, empty folder, empty row, empty column, \
    blank row, blank page, temp file, backup file, old file, old screenshot, screenshot, \
    thumbnail, avatar, profile picture, app icon, dark mode icon, tab icon, subtitle, headline, \
    tagline, slogan, footnote, breadcrumb, watermark, out of office, auto reply, thank you, \
    birthday wish, birthday card, condolence card, name tag, seat number, room number, \
    table number, order number, invoice number, tracking number, serial number, part number, \
    account number, reference number, ticket number, customer number, tax number, item number, \
    date of birth, start date, end date, due date, event date, meeting time, meeting room, \
    start time, end time, time zone, timezone, weekday, calendar entry, calendar invite, \
    reminder, word count, character count, line count, row count, sum of column, row total, \
    column total, subtotal, grand total, average of, maximum value, minimum value, \
    largest number, smallest number, longest word, shortest word, vowel, consonant, syllable, \
    anagram, palindrome, prime factor, isbn, doi, citation key, hashtag, mention, user name, \
    username, display name, handle, initials, abbreviation, acronym";

/// Things that are small where little is done to them.
pub(super) const MINOR: &str = "\
    amount, attribute, author, background, banner, border, bracket, brand name, caption, \
    category, channel name, character, checkbox, city, code block, column, copy, count, country, \
    cover, currency, cursor, day, default, description, digit, direction, document title, \
    domain, domain name, duration, email, extension, fee, figure, first column, first line, \
    first paragraph, first page, first row, first sentence, footnote, format, frequency, gender, \
    greeting, header, height, hour, hyperlink, id, identifier, indent, index page, initial, \
    intro, item, keyboard shortcut, keyword, language, last line, last row, last page, \
    last paragraph, last sentence, last column, layout, length, line number, list, location, \
    lowercase, max, maximum, menu, message, meta, min, minimum, minute, month, namespace, \
    navbar, note, numeral, order of, page, parameter, parenthesis, password hint, percentage, \
    phone, phrase, picture, pixel, placeholder, plural, port, position, prefix, product name, \
    project name, property, quantity, rating, recipient, region, resolution, second column, \
    second line, second paragraph, section, sender, separator, shade, sheet, shortcut, sidebar, \
    sign, size, slide, slug, spacing, spelling, state, status, street, style, suffix, symbol, \
    syntax, tab, table, tag, tags, term, theme color, threshold, time, timestamp, tooltip text, \
    top of file, bottom of file, total, translation, type name, unit, units, vat, volume, \
    weight, width, words, zero, abstract, postal address, letters, digits, contents page, \
    agenda item, deadline, dates, names, numbers, titles, labels, prices, ingredients, \
    temperature, temperatures, distance, phone numbers, addresses, coordinates, latitude, \
    longitude";

/// The writer says that it is easy, or little.
pub(super) const EASE: &str = "\
    nothing more than, only thing, only need, only needs, just need, just needs, just change, \
    just fix, only change, only that, only this, just that, just this, just that line, \
    that line only, this line only, only that line, only this line, no need to, \
    dont worry about, do not worry about, dont bother, without explanation, no explanation, \
    no explanations, no comments, no commentary, just number, only number, just answer, \
    only answer, just list, only list, just names, only names, just word, just name, just label, \
    just date, just result, only result, just command, only command, just link, just numbers, \
    just text, only text, text only, text change, copy change, copy fix, small fix, tiny fix, \
    quick fix, quick one, quick question, quick favor, quick favour, easy one, one more thing, \
    small thing, little thing, tiny thing, nit, nitpick, minor nit, no logic, no functional, \
    no behavior change, no behaviour change, same as before, same everywhere else, \
    same dimensions, same class, same size, as is, verbatim, word for word, exactly this text, \
    exact text, following text, copy below, only in staging, in staging only, staging only, \
    only one line, only one place, only one file, one liner, one time, one off, \
    already approved, approved already, already agreed, already reviewed, has been approved, \
    was approved, approval given, approved by, agreed on, is agreed, weve tested, we tested, \
    already tested, its slip, obvious mistake, obvious slip, copy paste error, \
    copy paste mistake, search and replace, find and replace, fat finger, off by one letter, \
    nothing fancy, no fuss, in one word, in one sentence, one word answer, short answer, yes no, \
    true or false only, as csv, as json, as plain list, comma separated, one per line, \
    as bullet list, in bold, in italics, in alphabetical, in ascending order, \
    in descending order, newest first, oldest first, from smallest, largest to smallest, \
    smallest to largest, z to a, a to z, and vice versa only, the rest stays, rest stays, \
    everything else stays, leave others, leave other, leave everything, others are fine, \
    rest is fine, should read, should say, should be, must read, must say, currently says, \
    currently reads, it says, reads, instead of, supposed to be, supposed to say, belongs in, \
    is spelled, is misspelled, is missing full stop, is missing comma";
