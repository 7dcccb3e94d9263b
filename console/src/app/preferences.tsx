/** Language and theme: on the gate pages and in the top bar. */
import { DesktopOutlined, GlobalOutlined, MoonOutlined, SunOutlined } from '@ant-design/icons';
import { Button, Dropdown } from 'antd';
import { setLocale, useT } from '@/i18n';
import { setThemeChoice, useTheme } from './theme';

export function Preferences() {
  const { t, locale } = useT();
  const theme = useTheme();
  const icons = { light: <SunOutlined />, dark: <MoonOutlined />, system: <DesktopOutlined /> };
  return (
    <div className="preferences">
      <Dropdown
        trigger={['click']}
        menu={{
          selectedKeys: [locale],
          items: [
            { key: 'en', label: 'English', lang: 'en' },
            { key: 'zh', label: '中文', lang: 'zh-CN' },
          ] as never,
          onClick: ({ key }) => setLocale(key as 'en' | 'zh'),
        }}
      >
        <Button type="text" icon={<GlobalOutlined />} aria-label={t('shell.language')} data-testid="language">
          {locale === 'zh' ? '中文' : 'EN'}
        </Button>
      </Dropdown>
      <Dropdown
        trigger={['click']}
        menu={{
          selectedKeys: [theme.choice],
          items: (['light', 'dark', 'system'] as const).map((key) => ({ key, icon: icons[key], label: t(`theme.${key}`) })),
          onClick: ({ key }) => setThemeChoice(key as 'light'),
        }}
      >
        <Button type="text" icon={icons[theme.choice]} aria-label={t('shell.theme')} data-testid="theme" />
      </Dropdown>
    </div>
  );
}
