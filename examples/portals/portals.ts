/** The demo's portals, one row each. A new portal is one more row and one more client file. */

export type Language = 'en' | 'fr' | 'nl' | 'de' | 'it';

export interface Portal {
  /** First part of its address and name of its logo; here also its `client_id`. */
  readonly path: string;
  readonly clientId: string;
  /** Fit for a demo only: a real portal reads it from its environment or a secret store. */
  readonly clientSecret: string;
  readonly name: string;
  /** `#rrggbb`, dark enough for white text on it. */
  readonly accent: string;
  /** The first is spoken unless the visitor chooses, or the browser asks for another of them. */
  readonly languages: readonly [Language, ...Language[]];
  /** Claims that its ID tokens should hold besides what every portal is told; it gets those that are released to it. */
  readonly claims?: readonly string[];
  /** Level of assurance that its second step and its API ask for; two factors when absent. */
  readonly assurance?: string;
  /** Seconds a sign-in may be old when its API is asked for the person's documents; any age when absent. */
  readonly documentsMaxAge?: number;
  /** What it is, in each of its languages. */
  readonly about: Readonly<Partial<Record<Language, string>>>;
}

export const PORTALS: readonly Portal[] = [
  {
    path: 'mutuelle',
    clientId: 'mutuelle',
    clientSecret: 'mutuelle-demo-secret',
    name: 'Mutuelle Azur',
    accent: '#0a5fb4',
    languages: ['fr', 'nl', 'de', 'en'],
    about: {
      fr: 'Votre assurance santé : remboursements, attestations et carte européenne.',
      nl: 'Uw ziekteverzekering: terugbetalingen, attesten en Europese kaart.',
      de: 'Ihre Krankenversicherung: Erstattungen, Bescheinigungen und europäische Karte.',
      en: 'Your health insurance: reimbursements, certificates and European card.',
    },
  },
  {
    path: 'extranet',
    clientId: 'extranet',
    clientSecret: 'extranet-demo-secret',
    name: 'Chalets Soleil Extranet',
    accent: '#9a4208',
    languages: ['en', 'fr', 'de', 'it', 'nl'],
    about: {
      en: 'Bookings, prices and availability for the owners of our chalets.',
      fr: 'Réservations, prix et disponibilités pour les propriétaires de nos chalets.',
      de: 'Buchungen, Preise und Verfügbarkeit für die Eigentümer unserer Chalets.',
      it: 'Prenotazioni, prezzi e disponibilità per i proprietari dei nostri chalet.',
      nl: 'Boekingen, prijzen en beschikbaarheid voor de eigenaars van onze chalets.',
    },
  },
  {
    path: 'fiduciaire',
    clientId: 'fiduciaire',
    clientSecret: 'fiduciaire-demo-secret',
    name: 'Fiduciaire Lemac',
    accent: '#17634a',
    languages: ['de', 'fr', 'en'],
    documentsMaxAge: 600,
    about: {
      de: 'Das Kundenportal Ihrer Treuhänder: Belege, Abschlüsse und Steuererklärung.',
      fr: 'L’espace client de votre fiduciaire : pièces, bouclements et déclaration d’impôt.',
      en: 'Your accountant’s client portal: receipts, annual accounts and tax return.',
    },
  },
  {
    path: 'caisse',
    clientId: 'caisse',
    clientSecret: 'caisse-demo-secret',
    name: 'Caisse de compensation Valmont',
    accent: '#7b2d8b',
    languages: ['it', 'de', 'fr'],
    claims: ['national_number'],
    about: {
      it: 'Contributi AVS, assegni familiari e attestazioni per le imprese affiliate.',
      de: 'AHV-Beiträge, Familienzulagen und Bescheinigungen für angeschlossene Betriebe.',
      fr: 'Cotisations AVS, allocations familiales et attestations pour les entreprises affiliées.',
    },
  },
  {
    path: 'commune',
    clientId: 'commune',
    clientSecret: 'commune-demo-secret',
    name: 'Commune de Clairval',
    accent: '#1f5f6b',
    languages: ['fr', 'de', 'en', 'it', 'nl'],
    assurance: 'http://eidas.europa.eu/LoA/high',
    about: {
      fr: 'Le guichet en ligne de la commune : on y entre avec son identité électronique.',
      de: 'Der Online-Schalter der Gemeinde: Eintritt mit der elektronischen Identität.',
      en: 'The counter of a municipality: you come in with your electronic identity.',
      it: 'Lo sportello online del Comune: si entra con l’identità elettronica.',
      nl: 'Het onlineloket van de gemeente: u komt binnen met uw elektronische identiteit.',
    },
  },
  {
    path: 'agenda',
    clientId: 'agenda',
    clientSecret: 'agenda-demo-secret',
    name: 'Agenda Libre',
    accent: '#a3214f',
    languages: ['en', 'fr', 'nl', 'de', 'it'],
    about: {
      en: 'A shared calendar by another company: it asks for your consent first.',
      fr: 'Un agenda partagé d’une autre société : il demande d’abord votre accord.',
      nl: 'Een gedeelde agenda van een ander bedrijf: die vraagt eerst uw toestemming.',
      de: 'Ein gemeinsamer Kalender einer anderen Firma: er fragt zuerst nach Ihrer Zustimmung.',
      it: 'Un’agenda condivisa di un’altra società: chiede prima il Suo consenso.',
    },
  },
];
