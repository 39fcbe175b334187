/** Runs before every test file of the run on servers (`setupFilesAfterEnv`). */
import { missing } from '../requirements.ts';

process.env.VESTIBULE_TEST_STORAGE = 'mongodb+redis';
const message = missing('mongodb', 'redis');
if (message !== undefined) throw new Error(message);
