"""All attacks."""

from hostile import availability, host, implementations, injection, leak, persistence, score

ATTACKS = (
    *score.ATTACKS,
    *leak.ATTACKS,
    *host.ATTACKS,
    *availability.ATTACKS,
    *persistence.ATTACKS,
    *injection.ATTACKS,
    *implementations.ATTACKS,
)
BY_NAME = {attack.name: attack for attack in ATTACKS}
