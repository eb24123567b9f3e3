"""Names by naming tradition: female given names, male given names, family names."""

from __future__ import annotations

import numpy as np

from simulator.randomness import Streams

BRITISH = (
    "Margaret Susan Patricia Christine Jean Linda Carol Julie Karen Tracey Sarah Emma Laura Rebecca Gemma Charlotte Jessica "
    "Sophie Chloe Olivia Amelia Isla Ava Poppy Evie Florence Dorothy Joan Barbara Brenda Janet Sandra Deborah Alison Helen "
    "Joanne Nicola Claire Lisa Michelle Rachel Hannah Lucy Megan Bethany Eleanor Grace Freya Daisy Ruby",
    "John David Michael Peter Robert Alan Brian Keith Stephen Paul Andrew Mark Ian Gary Simon Christopher Matthew James Daniel "
    "Thomas Adam Luke Jack Joshua Harry Oliver George Noah Arthur Leo Ronald Kenneth Derek Roy Dennis Raymond Trevor Graham "
    "Nigel Kevin Darren Lee Craig Jason Ryan Liam Connor Callum Alfie Charlie",
    "Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White Roberts Green Hall "
    "Wood Jackson Clarke Harris Clark Turner Hill Cooper Ward Morris Moore Watson Baker Harrison Morgan Allen Price Bennett "
    "Griffiths Kelly Simpson Marshall Collins Bell Shaw Murphy Miller Cox Mills Richards Palmer Chapman Webb Barker Holmes "
    "Freer Toone Measures Orton Gamble Herrick Bramley Kirby Pegg Tyers Wormleighton Dexter Swann Hames Goddard Burdett",
)
EASTERN_EUROPEAN = (
    "Agnieszka Katarzyna Magdalena Joanna Monika Ewa Anna Zofia Maja Ioana Elena Andreea Maria Daniela Rasa Kristina Olga Zuzanna",
    "Piotr Krzysztof Tomasz Marcin Pawel Jakub Szymon Andrei Mihai Ionut Alexandru Bogdan Tomas Mantas Jan Adrian Lukasz Kacper",
    "Nowak Kowalski Wisniewski Wojcik Kaminski Lewandowski Zielinski Popescu Ionescu Popa Radu Dumitru Stan Kazlauskas Novak "
    "Horvat Mazur Krawczyk Wrobel Dudek",
)
INDIAN = (
    "Priya Anjali Kavita Sunita Meena Hansa Kamla Pushpa Manjula Nisha Pooja Neha Diya Aisha Jaswinder Harpreet Simran Gurpreet "
    "Bhavna Hetal Jyoti Rekha Sangita Usha Vimla Daksha Heena Komal Riya Anaya",
    "Ramesh Suresh Dinesh Rajesh Mahesh Vijay Anil Sunil Ashok Kiran Bharat Jayesh Nilesh Amit Rahul Rohan Arjun Dev Harjit "
    "Balwinder Gurdeep Manjit Kuldip Hitesh Paresh Mukesh Kishor Arav Veer Nikhil",
    "Patel Mistry Shah Desai Parmar Chauhan Solanki Lad Joshi Mehta Thakrar Modi Tailor Gohil Rathod Singh Kaur Gill Dhillon Sandhu "
    "Sidhu Bains Grewal Sharma Kapoor Vaghela Makwana Odedra Popat Raval",
)
MUSLIM_SOUTH_ASIAN = (
    "Fatima Ayesha Zainab Khadija Maryam Amina Nasreen Shabana Rukhsana Parveen Yasmin Sumaiya Hafsa Safiya Rahima Shirin Nazma "
    "Razia Saima Bushra Halima Inaya",
    "Mohammed Muhammad Ahmed Ali Hassan Hussain Imran Asif Tariq Khalid Yusuf Ibrahim Bilal Usman Abdul Rashid Zubair Faisal Salim "
    "Iqbal Nasir Hamza Zayn Mahbub",
    "Khan Hussain Ahmed Ali Begum Akhtar Mahmood Malik Iqbal Shaikh Choudhury Miah Uddin Rahman Islam Hoque Bibi Mirza Qureshi Butt "
    "Patel Adam Bhatti Chowdhury",
)
AFRICAN = (
    "Ngozi Chioma Amara Blessing Patience Grace Abena Akosua Ama Esi Fadumo Hodan Khadra Tendai Rudo Chipo Nyasha Joy Mercy Faith "
    "Comfort Esther Folasade Titilayo",
    "Chinedu Emeka Olu Tunde Babatunde Kwame Kofi Kwabena Yaw Abdi Mohamed Abdirahman Tatenda Farai Tafadzwa Emmanuel Samuel Joseph "
    "Daniel Isaac Moses Ade Femi Segun",
    "Okafor Okonkwo Adeyemi Adebayo Ogunleye Eze Nwosu Mensah Owusu Boateng Asante Osei Abdi Hassan Warsame Farah Moyo Ncube Sibanda "
    "Dube Mutasa Chikwanha Ndlovu Banda",
)
CARIBBEAN = (
    "Beverley Marcia Sonia Yvonne Paulette Sharon Claudette Monica Donna Jacqueline Tanya Kayla Shanice Leah Aaliyah Gloria",
    "Winston Delroy Leroy Errol Trevor Carlton Clive Desmond Marlon Jermaine Tyrone Andre Nathan Jordan Isaiah Lloyd",
    "Campbell Brown Williams Grant Francis Gordon Reid Morgan Edwards Bailey Henry Lewis Stewart Richards Charles Joseph Lindo "
    "Thompson Walters Pinnock",
)
CHINESE = (
    "Mei Xiu Ling Yan Hui Fang Jing Wai Siu Yuet Min Xia Li Na Ying",
    "Wei Jun Ming Hao Chi Kwok Wing Kin Lei Tao Bo Yong Feng Jian Kai",
    "Chan Wong Li Wang Zhang Chen Liu Lee Cheung Lam Leung Ng Ho Tang Yang Huang Zhao Wu",
)
ARAB = (
    "Layla Nour Hala Rania Samira Zahra Shirin Maryam Leila Huda Dalia Yara",
    "Omar Khaled Ahmad Karim Samir Reza Hamid Farid Mustafa Tariq Ziad Amir",
    "Haddad Nasser Saleh Mansour Aziz Karimi Ahmadi Rezaei Hamdan Khalil Rahimi Barzani Othman Darwish",
)
TRADITION = {
    **dict.fromkeys("ABG", BRITISH),
    "C": EASTERN_EUROPEAN,
    **dict.fromkeys("HL", INDIAN),
    **dict.fromkeys("JK", MUSLIM_SOUTH_ASIAN),
    **dict.fromkeys("NP", AFRICAN),
    **dict.fromkeys("MDE", CARIBBEAN),
    "F": INDIAN,
    "R": CHINESE,
    "S": ARAB,
}


# Share of a household's members who bear its family name; where women keep theirs, or names are personal, fewer.
HOUSEHOLD_NAME = {**dict.fromkeys(TRADITION, 0.85), **dict.fromkeys("HJKLNPRS", 0.60)}


def draw(
    streams: Streams, ethnic_category: np.ndarray, female: np.ndarray, household: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Given and family names, as text arrays; members of a household and category mostly share a family name."""
    random = streams("names")
    total = len(female)
    own, shared = random.random(total), random.random(household.max() + 1)[household]
    given_draw = random.random(total)
    given, family = np.empty(total, dtype=object), np.empty(total, dtype=object)
    for category, (women, men, families) in TRADITION.items():
        inside = np.flatnonzero(ethnic_category == category)
        shares = random.random(len(inside)) < HOUSEHOLD_NAME[category]
        position = np.where(shares, shared[inside], own[inside])
        listed = np.array(families.split(), dtype=object)
        family[inside] = listed[(position * len(listed)).astype(int)]
        for is_female, first in ((True, women), (False, men)):
            some = inside[female[inside] == is_female]
            names = np.array(first.split(), dtype=object)
            given[some] = names[(given_draw[some] * len(names)).astype(int)]
    return given, family
