import type { ProviderFile } from '../../config/schema/provider.ts';
import { agov } from './agov.ts';
import { apple } from './apple.ts';
import { csam } from './csam.ts';
import { franceconnect } from './franceconnect.ts';
import { franceconnectPlus } from './franceconnect-plus.ts';
import { generic } from './generic.ts';
import { google } from './google.ts';
import { idAustria } from './id-austria.ts';
import { idPorten } from './id-porten.ts';
import { itsme } from './itsme.ts';
import { loginGov } from './login-gov.ts';
import { microsoft } from './microsoft.ts';
import { mitid } from './mitid.ts';
import type { Preset } from './preset.ts';
import { singpass } from './singpass.ts';
import { swissid } from './swissid.ts';

/** Every preset by its name in the files: a file in this folder, a line here, and its name in `config/schema/provider.ts`. */
export const PRESET: Readonly<Record<ProviderFile['preset'], Preset>> = {
  itsme,
  franceconnect,
  'franceconnect-plus': franceconnectPlus,
  swissid,
  agov,
  csam,
  mitid,
  'id-porten': idPorten,
  'id-austria': idAustria,
  singpass,
  'login-gov': loginGov,
  google,
  microsoft,
  apple,
  generic,
};
