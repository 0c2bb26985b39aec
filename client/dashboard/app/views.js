/** The views of the dashboard: each is a folder of views/ whose index.jsx exports View, and is loaded when it is opened. */

/**
 * key     shortcut after g
 * needs   what one must be allowed (see may in session.js)
 * plain   is without period and filters
 */
export const SITE_VIEWS = [
  {name: 'overview', key: 'o', needs: 'read', load: () => import('../views/overview/index.jsx')},
  {name: 'live', key: 'l', needs: 'visitors', plain: true, load: () => import('../views/live/index.jsx')},
  {name: 'anomalies', key: 'u', needs: 'read', plain: true, load: () => import('../views/anomalies/index.jsx')},
  {name: 'trends', key: 'd', needs: 'read', plain: true, load: () => import('../views/trends/index.jsx')},
  {name: 'sessions', key: 's', needs: 'visitors', load: () => import('../views/sessions/index.jsx')},
  {name: 'visitors', key: 'v', needs: 'visitors', plain: true, load: () => import('../views/visitors/index.jsx')},
  {name: 'goals', key: 'g', needs: 'read', load: () => import('../views/goals/index.jsx')},
  {name: 'funnels', key: 'f', needs: 'read', load: () => import('../views/funnels/index.jsx')},
  {name: 'journeys', key: 'j', needs: 'read', load: () => import('../views/journeys/index.jsx')},
  {name: 'retention', key: 'r', needs: 'read', load: () => import('../views/retention/index.jsx')},
  {name: 'attribution', key: 'a', needs: 'read', load: () => import('../views/attribution/index.jsx')},
  {name: 'heatmaps', key: 'h', needs: 'read', load: () => import('../views/heatmaps/index.jsx')},
  {name: 'vitals', key: 'p', needs: 'read', load: () => import('../views/vitals/index.jsx')},
  {name: 'errors', key: 'e', needs: 'visitors', load: () => import('../views/errors/index.jsx')},
  {name: 'quality', key: 'q', needs: 'read', load: () => import('../views/quality/index.jsx')},
  {name: 'alerts', key: 'w', needs: 'manage', plain: true, load: () => import('../views/alerts/index.jsx')},
  {name: 'reports', key: 'm', needs: 'manage', plain: true, load: () => import('../views/reports/index.jsx')},
  {name: 'settings', key: 't', needs: 'manage', plain: true, load: () => import('../views/settings/index.jsx')},
];

/** Pages of the server, at /admin/NAME. */
export const ADMIN_VIEWS = [
  {name: 'sites', needs: 'read', load: () => import('../views/admin/sites.jsx')},
  {name: 'welcome', needs: 'known', hidden: true, load: () => import('../views/admin/welcome.jsx')},
  {name: 'users', needs: 'admin', load: () => import('../views/admin/users.jsx')},
  {name: 'keys', needs: 'known', load: () => import('../views/admin/keys.jsx')},
  {name: 'account', needs: 'known', load: () => import('../views/admin/account.jsx')},
  {name: 'audit', needs: 'own', load: () => import('../views/admin/audit.jsx')},
  {name: 'alerts', needs: 'admin', load: () => import('../views/alerts/server.jsx')},
  {name: 'checks', needs: 'operate', load: () => import('../views/admin/checks.jsx')},
];
