import type { CLAIMS_BY_SCOPE } from './citizens.ts';
import type { Level } from './levels.ts';

export const LANGUAGES = ['en', 'fr', 'nl', 'de', 'it'] as const;
export type Language = (typeof LANGUAGES)[number];

type Told = Exclude<keyof typeof CLAIMS_BY_SCOPE, 'openid'>;

type Key =
  | 'title'
  | 'demo'
  | 'asks'
  | 'choose'
  | 'invented'
  | 'number'
  | 'born'
  | 'unconfirmed'
  | 'noEmail'
  | 'how'
  | 'wanted'
  | 'told'
  | 'confirm'
  | 'other'
  | 'cancel'
  | 'about'
  | 'signedInAs'
  | 'nobody'
  | 'signOut'
  | 'askSignOut'
  | 'signedOut'
  | 'stay'
  | 'failed'
  | 'again'
  | 'error'
  | Level
  | Told;

/** `{name}` is replaced: by who asks, or by who is signed in. */
export const TEXTS: Readonly<Record<Language, Readonly<Record<Key, string>>>> = {
  en: {
    title: 'Demo eID',
    demo: 'A demonstration: nothing here is checked, and nobody’s real identity is used.',
    asks: '{name} asks who you are.',
    choose: 'Who are you?',
    invented: 'These citizens are invented: take whichever you like.',
    number: 'National number',
    born: 'born on',
    unconfirmed: 'not confirmed',
    noEmail: 'no e-mail address',
    how: 'How do you prove it?',
    low: 'Low: with a password',
    substantial: 'Substantial: with the app and its PIN',
    high: 'High: with the identity card and its PIN',
    wanted: 'demanded',
    told: '{name} will be told:',
    profile: 'name and date of birth',
    email: 'e-mail address',
    national_number: 'national number',
    confirm: 'Confirm',
    other: 'Somebody else',
    cancel: 'Cancel',
    about: 'The electronic identity of the demo. A website sends you here when it needs to know who you are.',
    signedInAs: 'Signed in as {name}.',
    nobody: 'Nobody is signed in in this browser.',
    signOut: 'Sign out',
    askSignOut: 'Sign out of the demo eID?',
    signedOut: 'You are signed out',
    stay: 'Stay signed in',
    failed: 'This can’t go on',
    again:
      'It took too long, or something was wrong with the request. Please start again at the website you came from.',
    error: 'Error',
  },
  fr: {
    title: 'eID Démo',
    demo: 'Une démonstration : rien n’est vérifié ici, et aucune identité réelle n’est utilisée.',
    asks: '{name} demande qui vous êtes.',
    choose: 'Qui êtes-vous ?',
    invented: 'Ces personnes sont inventées : prenez celle qui vous plaît.',
    number: 'Numéro national',
    born: 'date de naissance :',
    unconfirmed: 'non confirmée',
    noEmail: 'aucune adresse e-mail',
    how: 'Comment le prouvez-vous ?',
    low: 'Faible : avec un mot de passe',
    substantial: 'Substantiel : avec l’application et son code PIN',
    high: 'Élevé : avec la carte d’identité et son code PIN',
    wanted: 'exigé',
    told: '{name} apprendra :',
    profile: 'nom et date de naissance',
    email: 'adresse e-mail',
    national_number: 'numéro national',
    confirm: 'Confirmer',
    other: 'Une autre personne',
    cancel: 'Annuler',
    about: 'L’identité électronique de la démonstration. Un site vous envoie ici quand il doit savoir qui vous êtes.',
    signedInAs: 'Personne connectée : {name}.',
    nobody: 'Personne n’est connecté dans ce navigateur.',
    signOut: 'Me déconnecter',
    askSignOut: 'Vous déconnecter de l’eID Démo ?',
    signedOut: 'Déconnexion effectuée',
    stay: 'Ne pas me déconnecter',
    failed: 'Impossible de continuer',
    again:
      'Cela a duré trop longtemps, ou la demande n’était pas correcte. Veuillez recommencer sur le site d’où vous venez.',
    error: 'Erreur',
  },
  nl: {
    title: 'Demo-eID',
    demo: 'Een demonstratie: hier wordt niets gecontroleerd en geen echte identiteit gebruikt.',
    asks: '{name} vraagt wie u bent.',
    choose: 'Wie bent u?',
    invented: 'Deze burgers zijn verzonnen: kies wie u wilt.',
    number: 'Rijksnummer',
    born: 'geboren op',
    unconfirmed: 'niet bevestigd',
    noEmail: 'geen e-mailadres',
    how: 'Hoe bewijst u dat?',
    low: 'Laag: met een wachtwoord',
    substantial: 'Substantieel: met de app en de pincode',
    high: 'Hoog: met de identiteitskaart en de pincode',
    wanted: 'vereist',
    told: '{name} krijgt te zien:',
    profile: 'naam en geboortedatum',
    email: 'e-mailadres',
    national_number: 'rijksnummer',
    confirm: 'Bevestigen',
    other: 'Iemand anders',
    cancel: 'Annuleren',
    about: 'De elektronische identiteit van de demo. Een website stuurt u hierheen wanneer die moet weten wie u bent.',
    signedInAs: 'Aangemeld als {name}.',
    nobody: 'In deze browser is niemand aangemeld.',
    signOut: 'Afmelden',
    askSignOut: 'Afmelden bij de demo-eID?',
    signedOut: 'U bent afgemeld',
    stay: 'Aangemeld blijven',
    failed: 'Dit kan niet verder',
    again: 'Het duurde te lang, of er was iets mis met het verzoek. Begin opnieuw op de website waar u vandaan kwam.',
    error: 'Fout',
  },
  de: {
    title: 'Demo-eID',
    demo: 'Eine Demonstration: Hier wird nichts geprüft und keine echte Identität verwendet.',
    asks: '{name} möchte wissen, wer Sie sind.',
    choose: 'Wer sind Sie?',
    invented: 'Diese Personen sind erfunden: Nehmen Sie, wen Sie möchten.',
    number: 'Landesnummer',
    born: 'geboren am',
    unconfirmed: 'nicht bestätigt',
    noEmail: 'keine E-Mail-Adresse',
    how: 'Wie weisen Sie es nach?',
    low: 'Niedrig: mit einem Passwort',
    substantial: 'Substanziell: mit der App und ihrer PIN',
    high: 'Hoch: mit der Identitätskarte und ihrer PIN',
    wanted: 'verlangt',
    told: '{name} erfährt:',
    profile: 'Name und Geburtsdatum',
    email: 'E-Mail-Adresse',
    national_number: 'Landesnummer',
    confirm: 'Bestätigen',
    other: 'Jemand anders',
    cancel: 'Abbrechen',
    about:
      'Die elektronische Identität der Demo. Eine Website schickt Sie hierher, wenn sie wissen muss, wer Sie sind.',
    signedInAs: 'Angemeldet als {name}.',
    nobody: 'In diesem Browser ist niemand angemeldet.',
    signOut: 'Abmelden',
    askSignOut: 'Bei der Demo-eID abmelden?',
    signedOut: 'Sie sind abgemeldet',
    stay: 'Angemeldet bleiben',
    failed: 'Hier geht es nicht weiter',
    again:
      'Es dauerte zu lange, oder mit der Anfrage stimmte etwas nicht. Bitte beginnen Sie auf der Website neu, von der Sie kamen.',
    error: 'Fehler',
  },
  it: {
    title: 'eID Demo',
    demo: 'Una dimostrazione: qui non si verifica nulla e non si usa l’identità vera di nessuno.',
    asks: '{name} chiede chi è Lei.',
    choose: 'Chi è Lei?',
    invented: 'Queste persone sono inventate: scelga quella che preferisce.',
    number: 'Numero nazionale',
    born: 'data di nascita:',
    unconfirmed: 'non confermato',
    noEmail: 'nessun indirizzo e-mail',
    how: 'Come lo dimostra?',
    low: 'Basso: con una password',
    substantial: 'Significativo: con l’app e il suo PIN',
    high: 'Elevato: con la carta d’identità e il suo PIN',
    wanted: 'richiesto',
    told: '{name} riceverà:',
    profile: 'nome e data di nascita',
    email: 'indirizzo e-mail',
    national_number: 'numero nazionale',
    confirm: 'Conferma',
    other: 'Un’altra persona',
    cancel: 'Annulla',
    about: 'L’identità elettronica della demo. Un sito La manda qui quando deve sapere chi è Lei.',
    signedInAs: 'Accesso effettuato come {name}.',
    nobody: 'In questo browser nessuno ha effettuato l’accesso.',
    signOut: 'Esci',
    askSignOut: 'Uscire dall’eID Demo?',
    signedOut: 'Disconnessione avvenuta',
    stay: 'Non uscire',
    failed: 'Non si può continuare',
    again: 'È durato troppo, o la richiesta non era corretta. La preghiamo di ricominciare dal sito da cui proviene.',
    error: 'Errore',
  },
};

/** @param wishes languages in order of preference, as `ui_locales` or `Accept-Language` writes them */
export function chooseLanguage(...wishes: readonly (string | undefined)[]): Language {
  const asked = wishes.flatMap((wish) => (wish ?? '').toLowerCase().split(/[\s,]+/));
  for (const wish of asked) {
    const language = LANGUAGES.find((one) => one === wish.slice(0, 2));
    if (language) return language;
  }
  return 'en';
}
