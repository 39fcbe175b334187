import type { Document } from './documents-api.ts';
import type { Language } from './portals.ts';

/** Something to tell the person once, on the portal's page. */
export type Message =
  | {
      readonly kind: 'notice';
      readonly key: 'signedOut' | 'signedOutElsewhere' | 'steppedUp' | 'steppedUpEid' | 'cancelled';
    }
  | {
      readonly kind: 'error';
      readonly key: 'stepUpUnmet' | 'notMatched' | 'unreachable' | 'failed' | 'noDocuments';
      /** What the provider answered, for whoever helps. */
      readonly code?: string;
    };

type Key =
  | Message['key']
  | 'welcome'
  | 'hello'
  | 'signIn'
  | 'signOut'
  | 'stepUp'
  | 'stepUpHint'
  | 'stepUpEid'
  | 'stepUpEidHint'
  | 'documents'
  | 'documentsHint'
  | 'documentsEidHint'
  | Document['kind']
  | 'retry'
  | 'back'
  | 'claims'
  | 'claimsHint'
  | 'error'
  | 'language'
  | 'all';

export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = {
  en: 'English',
  fr: 'Français',
  nl: 'Nederlands',
  de: 'Deutsch',
  it: 'Italiano',
};

export const TEXTS: Readonly<Record<Language, Readonly<Record<Key, string>>>> = {
  en: {
    welcome: 'Welcome',
    hello: 'Hello',
    signIn: 'Sign in',
    signOut: 'Sign out',
    stepUp: 'Confirm with a second step',
    stepUpHint: 'Some things here ask for a second step: an authenticator app, a passkey or an electronic identity.',
    stepUpEid: 'Confirm with the identity card',
    stepUpEidHint: 'Some things here ask for more than the app: the identity card and its PIN, at the level “high”.',
    documents: 'My documents',
    documentsHint: 'They are shown to you after a second step only.',
    documentsEidHint: 'They are shown to you after a confirmation at the level “high” only.',
    statement: 'Annual statement',
    certificate: 'Certificate for the tax return',
    letter: 'Letter',
    retry: 'Try again',
    back: 'Back to the overview',
    claims: 'What this portal was told',
    claimsHint: 'The claims of the ID token.',
    error: 'Error',
    language: 'Language',
    all: 'All demo portals',
    signedOut: 'You are signed out.',
    signedOutElsewhere: 'You signed out elsewhere, so you are signed out here too.',
    steppedUp: 'Thank you. You confirmed with a second step.',
    steppedUpEid: 'Thank you. You confirmed at the level “high”.',
    cancelled: 'You cancelled the sign-in. Nothing was changed.',
    stepUpUnmet:
      'The second step could not be completed with this account. You can go on as before, without what asks for it.',
    notMatched: 'This sign-in took too long or was begun in another window. Please start again.',
    unreachable: 'The sign-in service can’t be reached right now. Please try again in a moment.',
    failed: 'The sign-in didn’t work. Please try again.',
    noDocuments: 'Your documents can’t be shown right now. Please try again in a moment.',
  },
  fr: {
    welcome: 'Bienvenue',
    hello: 'Bonjour',
    signIn: 'Me connecter',
    signOut: 'Me déconnecter',
    stepUp: 'Confirmer par une deuxième étape',
    stepUpHint:
      'Certaines opérations demandent une deuxième étape : application d’authentification, clé d’accès ou identité électronique.',
    stepUpEid: 'Confirmer avec la carte d’identité',
    stepUpEidHint:
      'Certaines opérations demandent plus que l’application : la carte d’identité et son code PIN, au niveau « élevé ».',
    documents: 'Mes documents',
    documentsHint: 'Ils ne vous sont montrés qu’après une deuxième étape.',
    documentsEidHint: 'Ils ne vous sont montrés qu’après une confirmation au niveau « élevé ».',
    statement: 'Décompte annuel',
    certificate: 'Attestation fiscale',
    letter: 'Courrier',
    retry: 'Réessayer',
    back: 'Retour à l’aperçu',
    claims: 'Ce que ce portail a appris',
    claimsHint: 'Le contenu du jeton d’identité (ID token).',
    error: 'Erreur',
    language: 'Langue',
    all: 'Tous les portails de démonstration',
    signedOut: 'Déconnexion effectuée.',
    signedOutElsewhere: 'Déconnexion effectuée ailleurs, et donc ici aussi.',
    steppedUp: 'Merci. Vous avez confirmé par une deuxième étape.',
    steppedUpEid: 'Merci. Vous avez confirmé au niveau « élevé ».',
    cancelled: 'Vous avez annulé la connexion. Rien n’a été modifié.',
    stepUpUnmet:
      'La deuxième étape n’a pas pu être effectuée avec ce compte. Vous pouvez continuer comme avant, sans ce qui la demande.',
    notMatched:
      'Cette connexion a duré trop longtemps ou a été commencée dans une autre fenêtre. Veuillez recommencer.',
    unreachable: 'Le service de connexion n’est pas joignable pour le moment. Veuillez réessayer dans un instant.',
    failed: 'La connexion n’a pas abouti. Veuillez réessayer.',
    noDocuments: 'Vos documents ne peuvent pas être affichés pour le moment. Veuillez réessayer dans un instant.',
  },
  nl: {
    welcome: 'Welkom',
    hello: 'Dag',
    signIn: 'Aanmelden',
    signOut: 'Afmelden',
    stepUp: 'Bevestigen met een tweede stap',
    stepUpHint:
      'Sommige handelingen vragen een tweede stap: een authenticatie-app, een toegangssleutel of een elektronische identiteit.',
    stepUpEid: 'Bevestigen met de identiteitskaart',
    stepUpEidHint:
      'Sommige handelingen vragen meer dan de app: de identiteitskaart en de pincode, op het niveau ‘hoog’.',
    documents: 'Mijn documenten',
    documentsHint: 'U krijgt ze pas te zien na een tweede stap.',
    documentsEidHint: 'U krijgt ze pas te zien na een bevestiging op het niveau ‘hoog’.',
    statement: 'Jaaroverzicht',
    certificate: 'Fiscaal attest',
    letter: 'Brief',
    retry: 'Opnieuw proberen',
    back: 'Terug naar het overzicht',
    claims: 'Wat dit portaal vernomen heeft',
    claimsHint: 'De inhoud van het identiteitstoken (ID token).',
    error: 'Fout',
    language: 'Taal',
    all: 'Alle demoportalen',
    signedOut: 'U bent afgemeld.',
    signedOutElsewhere: 'U hebt zich elders afgemeld en bent daarom ook hier afgemeld.',
    steppedUp: 'Dank u. U hebt bevestigd met een tweede stap.',
    steppedUpEid: 'Dank u. U hebt bevestigd op het niveau ‘hoog’.',
    cancelled: 'U hebt het aanmelden geannuleerd. Er is niets gewijzigd.',
    stepUpUnmet:
      'De tweede stap is met deze account niet gelukt. U kunt verder zoals voorheen, zonder wat die stap vraagt.',
    notMatched: 'Dit aanmelden duurde te lang of begon in een ander venster. Begin opnieuw.',
    unreachable: 'De aanmelddienst is nu niet bereikbaar. Probeer het zo dadelijk opnieuw.',
    failed: 'Het aanmelden is niet gelukt. Probeer het opnieuw.',
    noDocuments: 'Uw documenten kunnen nu niet worden getoond. Probeer het zo dadelijk opnieuw.',
  },
  de: {
    welcome: 'Willkommen',
    hello: 'Guten Tag',
    signIn: 'Anmelden',
    signOut: 'Abmelden',
    stepUp: 'Mit einem zweiten Schritt bestätigen',
    stepUpHint: 'Einiges hier verlangt einen zweiten Schritt: Authenticator-App, Passkey oder elektronische Identität.',
    stepUpEid: 'Mit der Identitätskarte bestätigen',
    stepUpEidHint: 'Einiges hier verlangt mehr als die App: die Identitätskarte und ihre PIN, auf der Stufe «hoch».',
    documents: 'Meine Dokumente',
    documentsHint: 'Sie werden Ihnen erst nach einem zweiten Schritt gezeigt.',
    documentsEidHint: 'Sie werden Ihnen erst nach einer Bestätigung auf der Stufe «hoch» gezeigt.',
    statement: 'Jahresabrechnung',
    certificate: 'Bescheinigung für die Steuererklärung',
    letter: 'Schreiben',
    retry: 'Noch einmal versuchen',
    back: 'Zurück zur Übersicht',
    claims: 'Was dieses Portal erfahren hat',
    claimsHint: 'Der Inhalt des ID-Tokens.',
    error: 'Fehler',
    language: 'Sprache',
    all: 'Alle Demoportale',
    signedOut: 'Sie sind abgemeldet.',
    signedOutElsewhere: 'Sie haben sich anderswo abgemeldet und sind deshalb auch hier abgemeldet.',
    steppedUp: 'Danke. Sie haben mit einem zweiten Schritt bestätigt.',
    steppedUpEid: 'Danke. Sie haben auf der Stufe «hoch» bestätigt.',
    cancelled: 'Sie haben die Anmeldung abgebrochen. Es wurde nichts geändert.',
    stepUpUnmet:
      'Der zweite Schritt ist mit diesem Konto nicht gelungen. Sie können wie bisher weitermachen, ausser bei dem, was ihn verlangt.',
    notMatched: 'Diese Anmeldung dauerte zu lange oder begann in einem anderen Fenster. Bitte beginnen Sie neu.',
    unreachable: 'Der Anmeldedienst ist gerade nicht erreichbar. Bitte versuchen Sie es gleich noch einmal.',
    failed: 'Die Anmeldung hat nicht geklappt. Bitte versuchen Sie es noch einmal.',
    noDocuments: 'Ihre Dokumente können gerade nicht gezeigt werden. Bitte versuchen Sie es gleich noch einmal.',
  },
  it: {
    welcome: 'Le diamo il benvenuto',
    hello: 'Buongiorno',
    signIn: 'Accedi',
    signOut: 'Esci',
    stepUp: 'Conferma con un secondo passaggio',
    stepUpHint:
      'Alcune operazioni richiedono un secondo passaggio: app di autenticazione, passkey o identità elettronica.',
    stepUpEid: 'Conferma con la carta d’identità',
    stepUpEidHint: 'Alcune operazioni richiedono più dell’app: la carta d’identità e il suo PIN, al livello «elevato».',
    documents: 'I miei documenti',
    documentsHint: 'Le vengono mostrati solo dopo un secondo passaggio.',
    documentsEidHint: 'Le vengono mostrati solo dopo una conferma al livello «elevato».',
    statement: 'Conteggio annuale',
    certificate: 'Attestazione fiscale',
    letter: 'Lettera',
    retry: 'Riprova',
    back: 'Torna alla panoramica',
    claims: 'Che cosa ha saputo questo portale',
    claimsHint: 'Il contenuto del token d’identità (ID token).',
    error: 'Errore',
    language: 'Lingua',
    all: 'Tutti i portali dimostrativi',
    signedOut: 'Disconnessione avvenuta.',
    signedOutElsewhere: 'La sessione è stata chiusa altrove, quindi anche qui.',
    steppedUp: 'Grazie. Ha confermato con un secondo passaggio.',
    steppedUpEid: 'Grazie. Ha confermato al livello «elevato».',
    cancelled: 'Ha annullato l’accesso. Non è stato modificato nulla.',
    stepUpUnmet:
      'Il secondo passaggio non è riuscito con questo conto. Può continuare come prima, senza ciò che lo richiede.',
    notMatched: 'L’accesso è durato troppo o è iniziato in un’altra finestra. La preghiamo di ricominciare.',
    unreachable: 'Il servizio d’accesso non è raggiungibile al momento. Riprovi tra un istante.',
    failed: 'L’accesso non è riuscito. La preghiamo di riprovare.',
    noDocuments: 'I Suoi documenti non possono essere mostrati al momento. Riprovi tra un istante.',
  },
};
