import { expect } from 'chai';
import { findRoute, routeOf } from '../../src/web/http/routes.js';
describe('routes', () => {
    it('folds case and one slash at the end, as the routers behind it do', () => {
        for (const path of ['/oauth2/token', '/OAUTH2/TOKEN/', '/oauth2/token/', '/OAuth2/Token']) {
            expect(findRoute(path).name, path).to.equal('token');
        }
        expect(findRoute('/.WELL-KNOWN/openid-configuration/').name).to.equal('discovery');
    });
    it('does not know what the routers do not know', () => {
        for (const path of [
            '//oauth2/token',
            '/%74oken',
            '/oauth2/token;x',
            '/oauth2/token//',
            '/oauth2',
            '',
            '/ſign-in/x',
        ]) {
            expect(findRoute(path).name, path).to.equal('unknown');
        }
    });
    it('knows what lies below a prefix', () => {
        expect(findRoute('/oauth2/authorize').name).to.equal('authorization');
        expect(findRoute('/oauth2/authorize/abc').name).to.equal('resume');
        expect(findRoute('/Sign-In/abc/login').name).to.equal('sign_in');
        expect(findRoute('/device').name).to.equal('code_verification');
        expect(findRoute('/device/abc').name).to.equal('device_resume');
        expect(findRoute('/').name).to.equal('home');
        expect(findRoute('/account').name).to.equal('account');
        expect(findRoute('/accounting').name).to.equal('unknown');
    });
    it('has no route for a request target that is not a path', () => {
        expect(routeOf({ req: { url: 'http://evil.example/oauth2/token' }, path: '/oauth2/token' })).to.equal('unknown');
        expect(routeOf({ req: { url: '*' }, path: '*' })).to.equal('unknown');
    });
});
