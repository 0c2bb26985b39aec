import {Title} from '../../ui/panel.jsx';
import {t} from '../../app/i18n.js';

export const View = () => <Title>{t('view.heatmaps')}</Title>;
