//! The words that people write above columns: everywhere, then in English, Italian, Spanish, French,
//! German and Russian.
//!
//! Case, accents, space and punctuation do not matter. A further word is added as people write it.

use super::Meaning;

/// Headings that can only mean the phone column: their name says it.
pub(super) const PHONE: &str = "\
    phone number, phone, tel, telephone, mobile, cell, gsm, msisdn,
    phone no, phone nr, phone num, phone numbers, telephone number, telephone no, tel no,
    tel number, mobile number, mobile no, mobile phone, mobile phone number, cell number, cell no,
    cellphone, cell phone number, cellular, contact number, contact phone, primary phone,
    home phone, work phone, customer phone,
    telefono, numero di telefono, numero telefono, numero telefonico, n telefono, n di telefono,
    num telefono, nr telefono, n tel, num tel, cellulare, numero cellulare, numero di cellulare,
    n cellulare, num cellulare, nr cellulare, telefono cellulare, telefono mobile, telefono fisso,
    numero mobile, cel, recapito telefonico, utenza telefonica,
    teléfono, número de teléfono, n de teléfono, núm teléfono, tlf, tfno, tlfn, tfn, móvil,
    número de móvil, número móvil, teléfono móvil, celular, número de celular, número celular,
    teléfono celular, teléfono fijo,
    téléphone, numéro de téléphone, numéro téléphone, n de téléphone, n téléphone, n tél, num tél,
    no de téléphone, no téléphone, téléphone portable, téléphone mobile, téléphone fixe, portable,
    numéro de portable, numéro portable, numéro de mobile, tél portable, tél mobile, tél fixe,
    Telefon, Telefonnummer, Telefon Nr, Tel Nr, Telnummer, Rufnummer, Handy, Handynummer, Handy Nr,
    Mobil, Mobilnummer, Mobil Nr, Mobiltelefon, Mobilfunknummer, Mobilfunk, Festnetz,
    Festnetznummer,
    телефон, номер телефона, телефонный номер, тел, номер тел, моб, моб тел, моб телефон,
    мобильный, мобильный телефон, номер мобильного, мобильный номер, сотовый, сотовый телефон,
    номер сотового, контактный телефон, контактный номер, телефон клиента";

/// Headings that mean the phone column when its cells look like it. Elsewhere they mean a row's
/// number, or a person.
pub(super) const PERHAPS_PHONE: &str = "\
    number, no, contact, WhatsApp, numero, n, contatto, recapito, número, contacto, numéro, Nummer,
    Nr, Kontakt, номер, контакт";

/// Words of which one makes a longer heading mean the phone column when its cells look like it, as
/// in `Customer's mobile (private)` or `Telefono 1`.
pub(super) const PHONE_WORDS: &str = "\
    phone, tel, telephone, mobile, cell, cellphone, telefono, cellulare, móvil, celular, téléphone,
    portable, Telefon, Telefonnummer, Handy, Handynummer, Mobil, телефон, телефона, мобильный,
    сотовый";

/// Words of which one says that a column is not of phone numbers, whatever its cells look like.
pub(super) const OTHER_NUMBERS: &str = "\
    fax, telefax, факс, id, code, number of, account, iban, bic, vat, tax, ssn, zip, postcode, postal,
    date, birth, year, amount, price, total, order, invoice, policy, ticket, contract, card,
    iva, piva, partita, codice, cod, cf, fiscale, cap, data, nascita, anno, importo, totale, ordine,
    fattura, polizza, contratto, pratica, tessera, conto, prezzo,
    nif, cif, dni, nie, código, fecha, año, importe, pedido, factura, póliza, contrato, cuenta,
    siret, siren, tva, date, naissance, année, montant, commande, facture, contrat, compte,
    ust, ustid, steuer, steuernummer, plz, datum, geburtsdatum, jahr, betrag, bestellung, rechnung,
    rechnungsnummer, vertrag, vertragsnummer, konto, kontonummer, kundennummer,
    инн, кпп, огрн, снилс, бик, счет, счёт, паспорт, индекс, код, дата, рождения, год, сумма, заказ,
    договор, полис, карта";

/// What else a heading can mean.
pub(super) const MEANINGS: [(Meaning, &str); 11] = [
    (
        Meaning::FullName,
        "full name, contact name, customer name, client name, first and last name,
        nome completo, nome e cognome, nome cognome, cognome e nome, cognome nome, nominativo,
        nome cliente, nome contatto, intestatario,
        nombre completo, nombre y apellidos, nombre y apellido, nombre del cliente,
        nom complet, nom et prénom, nom prénom, prénom nom, prénom et nom, nom du client,
        vollständiger Name, Vor- und Nachname, Name Vorname, Kundenname, Ansprechpartner,
        фио, полное имя, имя фамилия, имя и фамилия, фамилия имя, имя клиента",
    ),
    (Meaning::Name, "name, nome, nombre, nom, имя"),
    (
        Meaning::GivenName,
        "first name, given name, forename, nome di battesimo, nombre de pila, prénom, Vorname",
    ),
    (
        Meaning::FamilyName,
        "last name, surname, family name, cognome, apellido, apellidos, nom de famille, Nachname,
        Familienname, Zuname, фамилия",
    ),
    (
        Meaning::Language,
        "language, lang, language code, lingua, idioma, lengua, langue, Sprache, язык",
    ),
    (
        Meaning::TimeZone,
        "time zone, tz, fuso orario, fuso, zona oraria, huso horario, zona horaria,
        fuseau horaire, fuseau, Zeitzone, часовой пояс, таймзона",
    ),
    (
        Meaning::Priority,
        "priority, priorità, prioridad, priorité, Priorität, приоритет",
    ),
    (
        Meaning::ExternalId,
        "external id, customer id, client id, contact id, person id, user id, respondent id, crm id,
        customer number, customer no, client number, id, uuid, ref, reference,
        id cliente, codice cliente, cod cliente, id contatto, id esterno, codice contatto, matricola,
        id externo, código cliente, código de cliente, id de cliente, número de cliente,
        identifiant, identifiant client, id client, code client, numéro client, n client, référence,
        Kundennummer, Kundennr, Kunden Nr, Kunden ID, Kontakt ID, Referenz,
        ид, идентификатор, код клиента, номер клиента, внешний ид, id клиента",
    ),
    (
        Meaning::Email,
        "email, e-mail, mail, email address, e-mail address, mail address,
        indirizzo email, indirizzo e-mail, posta elettronica, indirizzo di posta,
        correo, correo electrónico, dirección de correo, dirección de correo electrónico,
        courriel, adresse e-mail, adresse email, adresse mail, adresse électronique, mél,
        E-Mail-Adresse, Mailadresse, E-Mail Adresse,
        почта, эл почта, электронная почта, адрес электронной почты, емейл, имейл",
    ),
    (
        Meaning::DoNotCall,
        "do not call, dnc, do not contact, don't call, opt out, opted out, no call, blocked,
        non chiamare, non richiamare, non contattare, escluso, esclusione, opt-out,
        no llamar, no contactar, lista robinson, excluido,
        ne pas appeler, ne pas contacter, liste rouge, exclu,
        nicht anrufen, nicht kontaktieren, Anrufsperre, gesperrt, Sperrvermerk,
        не звонить, не беспокоить, отказ от звонков, исключить",
    ),
    (
        Meaning::HasPriorConsent,
        "has prior consent, prior consent, consent, consent given, opt in, opted in, has consent,
        call consent,
        consenso, consenso al contatto, consenso telefonico, consenso chiamate,
        consentimiento, consentimiento previo, consiente,
        consentement, consentement préalable, accord, accord préalable,
        Einwilligung, Einwilligung erteilt, Zustimmung, hat eingewilligt,
        согласие, есть согласие, согласие на звонок, согласие получено",
    ),
];
