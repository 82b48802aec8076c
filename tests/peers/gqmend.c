/* gqmend.so, to be preloaded into the unpacked ntpd 4.2.8p15 and nothing else:
 * gives its GQ identity scheme the numbers it means.
 *
 * GQ keys travel in the fields of an RSA key: n, b as the exponent, u as the first
 * prime. Since its move to OpenSSL 1.1 this ntpd asks RSA_get0_key for n, e and d
 * where it wants n, u and b, so that no client of it ever verifies a GQ server.
 * Nothing else in it calls that function.
 */
typedef struct rsa_st RSA;
typedef struct bignum_st BIGNUM;

const BIGNUM *RSA_get0_n(const RSA *);
const BIGNUM *RSA_get0_e(const RSA *);
const BIGNUM *RSA_get0_p(const RSA *);

void RSA_get0_key(const RSA *key, const BIGNUM **modulus, const BIGNUM **second,
                  const BIGNUM **third)
{
    if (modulus) *modulus = RSA_get0_n(key);
    if (second) *second = RSA_get0_p(key);
    if (third) *third = RSA_get0_e(key);
}
